// Sorts and filters the table that is there without it. What is chosen stands behind the # of the address.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const table = byId("worklist"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const FEW = Number(table.dataset.few); // rows laid out at once
  const filters = [...document.querySelectorAll("fieldset[data-filter]")].map((set) => ({
    key: set.dataset.filter,
    boxes: [...set.querySelectorAll("input")].map((box) => ({ box, count: box.parentNode.querySelector(".count") })),
    chosen: new Set(),
  }));
  const collator = new Intl.Collator("en", { numeric: true });
  const named = (key) => "is" + key[0].toUpperCase() + key.slice(1);
  const rows = [...body.rows].map((tr, place) => ({
    tr, place, text: "", name: tr.cells[0].querySelector("bdi").textContent,
    is: Object.fromEntries(filters.map(({ key }) => [key, tr.dataset[named(key)].split(" ")])),
  }));
  const start = { sort: "margin", order: "ascending" };
  let state = { ...start }, wanted = "", sorted = "margin ascending", limit = FEW, written = null;

  const value = (row) => (row.tr.dataset[state.sort] === "" ? null : Number(row.tr.dataset[state.sort]));
  const compare = (a, b) => {
    const sign = state.order === "ascending" ? 1 : -1;
    if (state.sort === "case") return sign * collator.compare(a.name, b.name) || a.place - b.place;
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place; // not known: last
    return sign * (x - y) || a.place - b.place;
  };

  const sortRows = () => {
    const now = `${state.sort} ${state.order}`;
    if (now !== sorted) {
      rows.sort(compare);
      body.append(...rows.map((row) => row.tr));
      sorted = now;
    }
    for (const head of heads) {
      if (head.dataset.sort === state.sort) head.setAttribute("aria-sort", state.order);
      else head.removeAttribute("aria-sort");
    }
  };

  const holds = (row, filter) => !filter.chosen.size || row.is[filter.key].some((key) => filter.chosen.has(key));
  const found = (row) => {
    if (!wanted) return true;
    row.text ||= row.tr.textContent.toLowerCase();
    return row.text.includes(wanted);
  };

  const show = () => {
    sortRows();
    const counts = filters.map(() => new Map());
    let matching = 0;
    for (const row of rows) {
      const failed = filters.filter((filter) => !holds(row, filter));
      const fits = found(row);
      filters.forEach((filter, at) => {
        // How many there would be: with what is chosen of the other kinds.
        if (!fits || failed.some((other) => other !== filter)) return;
        for (const key of row.is[filter.key]) counts[at].set(key, (counts[at].get(key) || 0) + 1);
      });
      const shown = fits && !failed.length;
      if (shown) matching += 1;
      row.tr.hidden = !shown || matching > limit;
    }
    filters.forEach((filter, at) => {
      for (const { box, count } of filter.boxes) {
        count.textContent = counts[at].get(box.value) || 0;
        box.checked = filter.chosen.has(box.value);
      }
    });
    const first = matching > limit ? `, the first ${limit} shown` : "";
    byId("shown").textContent = `${matching} of ${rows.length} rows${first}`;
    byId("more").hidden = matching <= limit;
    byId("more").textContent = `Show all ${matching}`;
    byId("clear").disabled = !wanted && filters.every((filter) => !filter.chosen.size);
  };

  const address = () => {
    const parts = new URLSearchParams();
    if (state.sort !== start.sort || state.order !== start.order) {
      parts.set("sort", state.sort);
      parts.set("order", state.order);
    }
    for (const { key, chosen } of filters) if (chosen.size) parts.set(key, [...chosen].join(" "));
    if (wanted) parts.set("find", wanted);
    return parts.toString();
  };
  const write = () => {
    written = address();
    history.replaceState(null, "", `#${written}`);
  };
  const read = () => {
    const said = location.hash.slice(1);
    if (said === written) return;
    const parts = new URLSearchParams(said);
    const sorts = heads.map((head) => head.dataset.sort).filter(Boolean);
    state = {
      sort: sorts.includes(parts.get("sort")) ? parts.get("sort") : start.sort,
      order: parts.get("order") === "descending" ? "descending" : start.order,
    };
    for (const filter of filters) {
      const keys = (parts.get(filter.key) || "").split(" ");
      filter.chosen = new Set(filter.boxes.map(({ box }) => box.value).filter((key) => keys.includes(key)));
    }
    wanted = (parts.get("find") || "").toLowerCase();
    byId("find").value = wanted;
    limit = FEW;
    show();
  };
  const changed = () => {
    limit = FEW;
    show();
    write();
  };

  for (const head of heads.filter((one) => one.dataset.sort)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const same = state.sort === head.dataset.sort;
      const other = state.order === "ascending" ? "descending" : "ascending";
      state = { sort: head.dataset.sort, order: same ? other : head.dataset.first };
      changed();
    });
  }
  for (const filter of filters) {
    for (const { box } of filter.boxes) {
      box.addEventListener("change", () => {
        if (box.checked) filter.chosen.add(box.value);
        else filter.chosen.delete(box.value);
        changed();
      });
    }
  }
  byId("find").addEventListener("input", () => {
    wanted = byId("find").value.trim().toLowerCase();
    changed();
  });
  byId("clear").addEventListener("click", () => {
    for (const filter of filters) filter.chosen.clear();
    byId("find").value = wanted = "";
    changed();
    byId("find").focus();
  });
  const showAll = () => {
    limit = Infinity;
    show();
  };
  byId("more").addEventListener("click", showAll);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("beforeprint", showAll);
  window.addEventListener("hashchange", read);
  byId("filters").hidden = false;
  read();
  document.documentElement.dataset.ready = "yes";
})();
