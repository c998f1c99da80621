# What the gateway marked as spam goes to Junk, before any rule of a user.
# For hq of acme.
require ["fileinto", "mailbox"];

# rule:[Perception Point Spam Rule]
if header :contains "X-PERCEPTION-POINT-SPAM" "FAIL" {
    fileinto :create "Junk";
    stop;
}
