"""YAML manifests to a resolved, validated `Fleet`, each statement with its file and line."""
