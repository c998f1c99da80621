// The table of domains: filter, sort and page through it, with the state in the URL's fragment. Everything works without
// this file, but less comfortably. What came from the world is only ever set as text.
"use strict";

const PAGE_ROWS = 100;
const STALE_HOURS = 48;
const MOST_SUGGESTIONS = 500;
const COLUMNS = ["domain", "organization", "stage", "severity", "findings", "since", "region"];
const FIRST_DESCENDING = new Set(["severity", "findings"]);
const DEFAULTS = { q: "", organization: "", stage: "", severity: "", sort: "severity", order: "descending", page: 1 };

const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// Rows come in the order "worst first"; each becomes an object that has what is looked for, and what is sorted by.
function readRows(data) {
  return data.rows.map(([written, alabel, organization, stage, severity, findings, since, region, page, anchor], index) => ({
    index, written, alabel, stage, severity, findings, since, region,
    organization: data.organizations[organization],
    sought: `${written} ${alabel}`.toLowerCase(),
    soughtOrganization: data.organizations[organization].toLowerCase(),
    href: `organizations/${data.pages[page]}#${anchor || `d-${alabel || written}`}`,
  }));
}

function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const name of ["q", "organization", "stage", "severity"]) state[name] = given.get(name) ?? "";
  if (COLUMNS.includes(given.get("sort"))) {
    state.sort = given.get("sort");
    state.order = given.get("order") === "descending" ? "descending" : "ascending";
  }
  state.page = Math.max(1, Math.trunc(Number(given.get("page"))) || 1);
  return state;
}

function writeState(state) {
  const told = new URLSearchParams();
  for (const name of ["q", "organization", "stage", "severity"]) if (state[name]) told.set(name, state[name]);
  if (state.sort !== DEFAULTS.sort || state.order !== DEFAULTS.order) {
    told.set("sort", state.sort);
    told.set("order", state.order);
  }
  if (state.page > 1) told.set("page", state.page);
  const text = told.toString();
  // an empty fragment of our own would scroll to the top, and one that names a place is not ours to take away
  if (text || location.hash.includes("=")) history.replaceState(null, "", `#${text || "domains"}`);
}

const VALUES = {
  domain: (row) => row.sought,
  organization: (row) => row.soughtOrganization,
  stage: (row) => row.stage,
  severity: (row) => -row.severity,
  findings: (row) => row.findings,
  since: (row) => row.since,
  region: (row) => row.region,
};

function chosen(rows, state, data) {
  const q = state.q.trim().toLowerCase();
  const organization = state.organization.trim().toLowerCase();
  const isWhole = data.known.has(organization);
  const stage = data.stages.indexOf(state.stage);
  const severity = data.severities.indexOf(state.severity);
  const none = data.severities.indexOf("none");
  const found = rows.filter(
    (row) =>
      (!q || row.sought.includes(q)) &&
      (!organization || (isWhole ? row.soughtOrganization === organization : row.soughtOrganization.includes(organization))) &&
      (stage < 0 || row.stage === stage) &&
      (severity < 0 || (severity === none ? row.severity === none : row.severity <= severity)),
  );
  const value = VALUES[state.sort];
  const sign = state.order === "descending" ? -1 : 1;
  return found.sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    // who has no such value comes last, whichever the order
    if (left === "" || right === "") return (left === "") - (right === "") || a.index - b.index;
    return sign * ((left > right) - (left < right)) || a.index - b.index;
  });
}

function rowElement(row, data) {
  const line = element("tr");
  const head = element("th");
  head.scope = "row";
  const link = element("a", row.written);
  link.href = row.href;
  head.append(link);
  if (row.alabel) head.append(" ", element("small", row.alabel));
  const severity = element("td");
  severity.append(element("span", data.severities[row.severity], `badge ${data.severities[row.severity]}`));
  line.append(
    head, element("td", row.organization), element("td", data.stages[row.stage]), severity,
    element("td", String(row.findings), "number"), element("td", row.since, "time"), element("td", row.region),
  );
  return line;
}

function startTable() {
  const data = JSON.parse(byId("data").textContent);
  data.known = new Set(data.organizations.map((name) => name.toLowerCase()));
  const rows = readRows(data);
  const body = byId("table").tBodies[0];
  const controls = Object.fromEntries(["q", "organization", "stage", "severity"].map((n) => [n, byId(`filter-${n}`)]));
  let state = readState();
  let found = [];
  let isPrinting = false;

  function showRows() {
    const start = (state.page - 1) * PAGE_ROWS;
    const shown = isPrinting ? found : found.slice(start, start + PAGE_ROWS);
    const lines = document.createDocumentFragment();
    for (const row of shown) lines.append(rowElement(row, data));
    body.replaceChildren(lines);
  }

  function showPlace() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
    byId("pager").hidden = pages === 1;
    byId("pager-back").disabled = state.page === 1;
    byId("pager-next").disabled = state.page === pages;
    byId("pager-place").textContent = `Page ${state.page} of ${pages}`;
    byId("count").textContent = found.length === rows.length ? `${rows.length} domains` : `${found.length} of ${rows.length} domains`;
    for (const head of byId("table").tHead.rows[0].cells) {
      const isSorted = head.dataset.sort === state.sort;
      if (isSorted) head.setAttribute("aria-sort", state.order);
      else head.removeAttribute("aria-sort");
      head.querySelector("span").textContent = isSorted ? (state.order === "ascending" ? "\u2191" : "\u2193") : "";
    }
  }

  function show() {
    found = chosen(rows, state, data);
    state.page = Math.min(state.page, Math.max(1, Math.ceil(found.length / PAGE_ROWS)));
    showRows();
    showPlace();
  }

  function change(changes) {
    state = { ...state, page: 1, ...changes };
    show();
    writeState(state);
  }

  function fillControls() {
    for (const [name, control] of Object.entries(controls)) control.value = state[name];
  }

  function addSortButtons() {
    for (const head of byId("table").tHead.rows[0].cells) {
      const name = head.dataset.sort;
      const button = element("button", head.textContent, "sort");
      const arrow = element("span");
      arrow.setAttribute("aria-hidden", "true");
      button.type = "button";
      button.append(arrow);
      button.addEventListener("click", () => {
        const first = FIRST_DESCENDING.has(name) ? "descending" : "ascending";
        const other = state.order === "ascending" ? "descending" : "ascending";
        change({ sort: name, order: state.sort === name ? other : first });
      });
      head.replaceChildren(button);
    }
  }

  function turn(pages) {
    change({ page: state.page + pages });
    byId("table").scrollIntoView({ block: "start" });
  }

  function print(is) {
    if (is === isPrinting) return;
    isPrinting = is;
    showRows();
  }

  addSortButtons();
  fillControls();
  show();
  byId("filter").hidden = false;
  byId("plain").hidden = true;
  for (const [name, control] of Object.entries(controls)) control.addEventListener("input", () => change({ [name]: control.value }));
  controls.organization.addEventListener("focus", () => {
    const names = [...data.organizations].sort().slice(0, MOST_SUGGESTIONS);
    byId("known-organizations").replaceChildren(...names.map((name) => Object.assign(element("option"), { value: name })));
  }, { once: true });
  byId("filter-clear").addEventListener("click", () => {
    change(DEFAULTS);
    fillControls();
  });
  byId("pager-back").addEventListener("click", () => turn(-1));
  byId("pager-next").addEventListener("click", () => turn(1));
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return; // a place on the page
    state = readState();
    fillControls();
    show();
  });
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  matchMedia("print").addEventListener("change", (event) => print(event.matches));
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

// A page that nobody makes anew any more must not look like good news.
function tellAge() {
  const hours = (Date.now() - Date.parse(document.body.dataset.created)) / 3600000;
  if (!(hours > STALE_HOURS)) return;
  byId("stale").textContent = `This page was made ${Math.floor(hours / 24)} days ago, and what it shows may be long past.`;
  byId("stale").hidden = false;
}

// Who came for one domain wants to see its plan and gates.
function openTarget() {
  const target = location.hash.startsWith("#d-") ? byId(location.hash.slice(1)) : null;
  if (!target) return;
  for (const details of target.querySelectorAll(":scope > details")) details.open = true;
}

tellAge();
openTarget();
addEventListener("hashchange", openTarget);
if (byId("data")) startTable();
