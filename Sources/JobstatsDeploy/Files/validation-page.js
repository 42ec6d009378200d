
"use strict";
(() => {
  const words = ["failed", "could not look", "warning", "skipped", "passed"];
  const letters = ["F", "?", "W", "-", "+"];
  const classes = ["F", "U", "W", "S", "P"];
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const table = byId("matrix"), body = table.tBodies[0], scroller = byId("scroller");
  const groupRow = table.tHead.rows[0], titleRow = table.tHead.rows[1];
  const filter = byId("filter"), boxes = [...document.querySelectorAll("#tools fieldset input")];
  const panel = byId("details"), panelTitle = byId("details-title"), panelBody = byId("details-body");
  const sheet = document.styleSheets[0], ownRules = sheet.cssRules.length;
  const hostCount = data.hosts.length, checkCount = data.checks.length;

  let shownRows = data.hosts.map((_, index) => index), shownColumns = data.checks.map((_, index) => index);
  let row = -1, column = -1; // the place of the grid's one tab stop; -1 is a heading
  let open = null; // [row, column] of what the details show

  // --- What a verdict says

  function texts(verdict, host) {
    const [state, seen, advice, ...gaps] = data.verdicts[verdict];
    let next = 0;
    const fill = index => index < 0 ? "" : data.texts[index].replace(/\u007f/g, () => {
      const gap = gaps[next++];
      return gap !== 0 ? gap : host < 0 ? " " : data.hosts[host][0];
    });
    return { state, seen: fill(seen), advice: fill(advice) };
  }
  const stateOf = (host, check) => {
    const verdict = data.cells[host][check];
    return verdict < 0 ? -1 : data.verdicts[verdict][0];
  };
  const isTrouble = state => state >= 0 && state < 3;

  // --- The grid

  const element = (r, c) => (r < 0 ? titleRow : body.rows[r]).cells[c + 1];

  function label(r, c) {
    if (r < 0 || c < 0) return null; // headings say what they are
    const state = stateOf(r, c);
    return state < 0 ? "does not apply" : words[state];
  }

  function place(r, c, focuses) {
    const old = element(row, column);
    old.removeAttribute("tabindex");
    old.removeAttribute("aria-label");
    row = r;
    column = c;
    const cell = element(r, c);
    cell.tabIndex = 0;
    const name = label(r, c);
    if (name) cell.setAttribute("aria-label", name);
    if (focuses) {
      cell.focus({ preventScroll: true });
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
      if (open) show(r, c, false);
    }
  }

  // The next shown index in a direction; headings are at -1.
  function step(list, from, by) {
    const all = [-1, ...list];
    let at = all.indexOf(from);
    if (at < 0) at = 0;
    return all[Math.max(0, Math.min(all.length - 1, at + by))];
  }

  function problem(by) {
    const c = shownColumns, count = c.length;
    const at = shownRows.indexOf(row) * count + c.indexOf(column);
    for (let n = 1; n <= shownRows.length * count; n++) {
      const place = ((row < 0 ? (by > 0 ? -1 : 0) : at) + by * n + 2 * shownRows.length * count) % (shownRows.length * count);
      const r = shownRows[Math.floor(place / count)], k = c[place % count];
      if (isTrouble(stateOf(r, k))) return [r, k];
    }
    return null;
  }

  table.addEventListener("keydown", event => {
    if (event.altKey || event.metaKey) return;
    let r = row, c = column;
    const last = list => list.length ? list[list.length - 1] : -1;
    switch (event.key) {
      case "ArrowUp": r = step(shownRows, r, -1); break;
      case "ArrowDown": r = step(shownRows, r, 1); break;
      case "ArrowLeft": c = step(shownColumns, c, -1); break;
      case "ArrowRight": c = step(shownColumns, c, 1); break;
      case "PageUp": r = step(shownRows, r, -10); break;
      case "PageDown": r = step(shownRows, r, 10); break;
      case "Home": c = -1; if (event.ctrlKey) r = -1; break;
      case "End": c = last(shownColumns); if (event.ctrlKey) r = last(shownRows); break;
      case "Enter": case " ": event.preventDefault(); show(r, c, true); return;
      case "n": case "p": {
        if (event.ctrlKey) return;
        const found = problem(event.key === "n" ? 1 : -1);
        if (!found) return;
        [r, c] = found;
        break;
      }
      default: return;
    }
    event.preventDefault();
    place(r, c, true);
  });

  function placeOf(target) {
    const cell = target.closest("td, th");
    if (!cell || cell.parentElement === groupRow) return null;
    return [cell.parentElement === titleRow ? -1 : cell.parentElement.sectionRowIndex, cell.cellIndex - 1];
  }

  table.addEventListener("click", event => {
    if (String(getSelection())) return;
    const at = placeOf(event.target);
    if (!at) return;
    show(at[0], at[1], false);
    place(at[0], at[1], true);
  });
  table.addEventListener("focusin", event => {
    const at = placeOf(event.target);
    if (at && (at[0] !== row || at[1] !== column)) place(at[0], at[1], false);
  });
  // A tip for the pointer, made when it is needed.
  table.addEventListener("mouseover", event => {
    const at = placeOf(event.target);
    if (!at) return;
    const [r, c] = at, cell = element(r, c);
    if (cell.title) return;
    if (r < 0) cell.title = c < 0 ? "" : data.checks[c][2];
    else if (c < 0) cell.title = data.hosts[r].filter(Boolean).join(": ");
    else cell.title = `${data.hosts[r][0]}: ${data.checks[c][2]}: ${label(r, c)}`;
  });

  // --- The details

  function make(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function mark(state) {
    const made = make("b", letters[state], "mark " + classes[state]);
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function say(text) {
    byId("said").textContent = "";
    setTimeout(() => { byId("said").textContent = text; }, 30);
  }

  async function copy(text, button, source) {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      getSelection().selectAllChildren(source);
      try { done = document.execCommand("copy"); } catch { done = false; }
    }
    button.textContent = done ? "Copied" : "Selected";
    say(done ? "Copied" : "Selected; copy with the keyboard");
  }

  function add(list, title, ...content) {
    list.append(make("dt", title));
    const value = make("dd");
    value.append(...content);
    list.append(value);
  }

  function commands(check) {
    return data.checks[check][4].map(text => {
      const line = make("div", undefined, "command"), code = make("pre"), button = make("button", "Copy");
      code.append(make("code", text));
      button.type = "button";
      button.setAttribute("aria-label", `Copy ${text}`);
      button.addEventListener("click", () => copy(text, button, code));
      line.append(code, button);
      return line;
    });
  }

  function jump(state, text, r, c) {
    const item = make("li"), button = make("button", text, "link");
    button.type = "button";
    button.addEventListener("click", () => { reveal(r, c); show(r, c, true); });
    item.append(mark(state), " ", make("span", words[state] + " ", "unseen-text"), button);
    return item;
  }

  // Of a host or of a check: what is wrong, as a list that leads to the cells.
  function troubles(pairs, name) {
    const found = pairs.filter(([r, c]) => isTrouble(stateOf(r, c)))
      .sort((a, b) => stateOf(...a) - stateOf(...b));
    if (!found.length) return ["nothing"];
    const list = make("ul");
    list.append(...found.map(([r, c]) => jump(stateOf(r, c), name(r, c), r, c)));
    return [list];
  }

  function countsOf(pairs) {
    const counts = words.map((_, state) => pairs.filter(([r, c]) => stateOf(r, c) === state).length);
    return counts.map((count, state) => count ? `${count} ${words[state]}` : "").filter(Boolean).join(", ") || "none";
  }

  function show(r, c, focuses) {
    if (r < 0 && c < 0) return;
    if (open) {
      element(...open).classList.remove("here");
      if (open[0] >= 0) body.rows[open[0]].classList.remove("open");
    }
    open = [r, c];
    element(r, c).classList.add("here");
    if (r >= 0) body.rows[r].classList.add("open");
    const list = make("dl"), host = r >= 0 ? data.hosts[r] : null, check = c >= 0 ? data.checks[c] : null;
    if (host && check) {
      panelTitle.textContent = `${host[0]}: ${check[2]}`;
      const verdict = data.cells[r][c];
      if (verdict < 0) {
        add(list, "State", "does not apply to this host");
      } else {
        const { state, seen, advice } = texts(verdict, r);
        add(list, "State", mark(state), " " + words[state]);
        add(list, "Seen", seen);
        if (check[3]) add(list, "Expected", check[3]);
        if (advice) add(list, "What to do", make("span", advice, "advice"));
      }
    } else if (host) {
      const pairs = data.checks.map((_, index) => [r, index]);
      panelTitle.textContent = host[0];
      add(list, "Checks", countsOf(pairs));
      add(list, "Problems", ...troubles(pairs, (_, index) => data.checks[index][2]));
    } else {
      const pairs = data.hosts.map((_, index) => [index, c]);
      panelTitle.textContent = check[2];
      if (check[3]) add(list, "Expected", check[3]);
      add(list, "Hosts", countsOf(pairs));
      add(list, "Problems", ...troubles(pairs, index => data.hosts[index][0]));
    }
    if (check && check[4].length) add(list, host ? `By hand, for ${host[0]}` : "By hand", ...commands(c));
    if (host && host[1]) add(list, "Host", `${host[0]}: ${host[1]}`);
    if (check) add(list, "Check", `${check[0]}, group ${check[1]}`);
    panelBody.replaceChildren(list);
    panel.hidden = false;
    document.documentElement.classList.add("with-details");
    panel.scrollTop = 0;
    const place = new URLSearchParams();
    if (host) place.set("host", host[0]);
    if (check) place.set("check", check[0]);
    history.replaceState(null, "", "#" + place);
    if (focuses) panelTitle.focus();
  }

  function close() {
    if (!open) return;
    const [r, c] = open;
    open = null;
    element(r, c).classList.remove("here");
    if (r >= 0) body.rows[r].classList.remove("open");
    panel.hidden = true;
    document.documentElement.classList.remove("with-details");
    history.replaceState(null, "", location.href.split("#")[0] + "#");
    place(r, c, true);
  }

  byId("close").addEventListener("click", close);
  document.addEventListener("keydown", event => {
    const isTyping = event.target.matches("input[type=search]");
    if (event.key === "Escape") {
      if (isTyping) {
        event.preventDefault();
        filter.value = "";
        apply();
        place(row, column, true);
      } else if (open) {
        event.preventDefault();
        close();
      }
    } else if (event.key === "/" && !isTyping && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      filter.focus();
      filter.select();
    } else if (isTyping && (event.key === "Enter" || event.key === "ArrowDown")) {
      event.preventDefault();
      apply();
      if (shownRows.length) place(shownRows[0], firstHit(shownRows[0]), true);
    }
  });

  // --- The filter

  const low = text => text.toLowerCase();
  const hostTexts = data.hosts.map(host => low(host.join(" ")));
  const checkTexts = data.checks.map(check => low([check[0], check[1], check[2]].join(" ")));
  let verdictTexts = null;
  let hits = null; // by row, the columns that match; null without a filter

  const firstHit = r => hits && hits[r] ? shownColumns.find(c => hits[r][c]) ?? shownColumns[0] : shownColumns[0] ?? -1;

  function apply() {
    const wanted = low(filter.value).split(/\s+/).filter(Boolean);
    const states = new Set(boxes.filter(box => box.checked).map(box => Number(box.value)));
    const isFiltered = wanted.length > 0 || states.size > 0;
    verdictTexts ??= data.verdicts.map((_, index) => {
      const { seen, advice } = texts(index, -1);
      return low(seen + " " + advice);
    });
    const tests = wanted.map(word => ({
      hosts: hostTexts.map(text => text.includes(word)),
      checks: checkTexts.map(text => text.includes(word)),
      verdicts: verdictTexts.map(text => text.includes(word)),
    }));
    hits = null;
    let count = 0;
    if (isFiltered) {
      const columns = new Uint8Array(checkCount);
      hits = data.cells.map((cells, r) => {
        const found = new Uint8Array(checkCount);
        cells.forEach((verdict, c) => {
          if (verdict < 0 || states.size && !states.has(data.verdicts[verdict][0])) return;
          if (!tests.every(test => test.hosts[r] || test.checks[c] || test.verdicts[verdict])) return;
          found[c] = columns[c] = 1;
          count++;
        });
        return found;
      });
      shownRows = data.hosts.map((_, r) => r).filter(r => hits[r].includes(1));
      shownColumns = data.checks.map((_, c) => c).filter(c => columns[c]);
    } else {
      shownRows = data.hosts.map((_, r) => r);
      shownColumns = data.checks.map((_, c) => c);
    }
    paint();
    byId("hits").textContent = isFiltered
      ? `${count} ${count === 1 ? "hit" : "hits"} on ${shownRows.length} of ${hostCount} hosts`
      : `${hostCount} ${hostCount === 1 ? "host" : "hosts"}, ${checkCount} ${checkCount === 1 ? "check" : "checks"}`;
    if (!shownRows.includes(row) || !shownColumns.includes(column)) {
      const r = shownRows.length ? shownRows[0] : -1;
      place(r, r < 0 ? -1 : firstHit(r), false);
    }
  }

  let dimmed = [];
  function paint() {
    const rows = new Set(shownRows), columns = new Set(shownColumns);
    table.classList.toggle("filtered", hits !== null && shownRows.length < 60);
    for (let r = 0; r < hostCount; r++) body.rows[r].hidden = !rows.has(r);
    while (sheet.cssRules.length > ownRules) sheet.deleteRule(ownRules);
    const gone = data.checks.map((_, c) => c).filter(c => !columns.has(c));
    if (gone.length) {
      const places = gone.map(c => `#matrix tbody td:nth-child(${c + 2}), .titles th:nth-child(${c + 2})`);
      sheet.insertRule(`@media screen { ${places.join(", ")} { display: none; } }`, ownRules);
    }
    let c = 0;
    for (const head of [...groupRow.cells].slice(1)) {
      const size = Number(head.dataset.size ??= head.colSpan);
      let left = 0;
      for (const end = c + size; c < end; c++) if (columns.has(c)) left++;
      head.hidden = left === 0;
      head.colSpan = Math.max(1, left);
    }
    for (const cell of dimmed) cell.classList.remove("o");
    dimmed = [];
    if (!hits) return;
    for (const r of shownRows) {
      for (const c of shownColumns) {
        if (hits[r][c] || data.cells[r][c] < 0) continue;
        const cell = element(r, c);
        cell.classList.add("o");
        dimmed.push(cell);
      }
    }
  }

  let pause = 0;
  filter.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(apply, 80); });
  boxes.forEach(box => box.addEventListener("change", apply));
  byId("thin").addEventListener("change", event => table.classList.toggle("thin", event.target.checked));
  byId("tools").addEventListener("submit", event => event.preventDefault());

  // --- Deep links

  // Shows a cell although a filter hides it.
  function reveal(r, c) {
    if ((r < 0 || shownRows.includes(r)) && (c < 0 || shownColumns.includes(c))) return;
    filter.value = "";
    boxes.forEach(box => { box.checked = false; });
    apply();
  }

  function follow() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const r = data.hosts.findIndex(host => host[0] === wanted.get("host"));
    const c = data.checks.findIndex(check => check[0] === wanted.get("check"));
    if (r < 0 && c < 0) return false;
    reveal(r, c);
    place(r, c, true);
    show(r, c, false);
    return true;
  }
  addEventListener("hashchange", follow);

  // --- Begin

  table.setAttribute("role", "grid");
  table.setAttribute("aria-readonly", "true");
  table.classList.add("live");
  byId("tools").hidden = false;
  byId("keys").hidden = false;
  scroller.tabIndex = -1;
  place(hostCount ? 0 : -1, hostCount && checkCount ? 0 : -1, false);
  const first = hostCount && checkCount ? problem(1) : null;
  if (first && isTrouble(stateOf(row, column)) === false) place(first[0], first[1], false);
  apply();
  follow();
})();
