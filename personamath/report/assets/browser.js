// The browser of rows: filters, search, the list, and one row with its ancestry. The address holds its state.

const NARROW = matchMedia("(max-width: 56rem)");
// Pause in typing, in ms, after which the search starts.
const TYPING = 150;

class Browser {
  constructor(view, rows) {
    this.view = view;
    this.rows = rows;
    this.part = (name) => view.querySelector(`[data-part=${name}]`);
    this.list = new List(this.part("list"), (option, number) => this.fill(option, number), (number, firmly) => this.chosen(number, firmly));
    this.search = 0;
    this.terms = [];
    this.asked = null;
    this.open = null;
    this.selects = rows.index.facets.map((facet) => this.select(facet));
    this.listen();
  }

  // Makes a filter; a facet with only one value gets no filter.
  select(facet) {
    const options = facet.values.map(({ label, rows }, at) =>
      element("option", { value: at }, `${label} (${rows.toLocaleString("en")})`),
    );
    const select = element("select", { name: facet.name }, element("option", { value: "" }, "all"), ...options);
    select.addEventListener("change", () => this.filter());
    if (facet.values.length > 1) this.part("filters").append(element("label", {}, element("span", {}, facet.label), select));
    return select;
  }

  listen() {
    let typing;
    this.part("query").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.filter(), TYPING);
    });
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.filter();
    });
    this.part("clear").addEventListener("click", () => {
      this.set(new URLSearchParams());
      this.filter();
    });
    this.part("back").addEventListener("click", () => this.close());
    this.part("detail").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || this.view.hidden || event.target.closest("input, select, textarea")) return;
      event.preventDefault();
      this.part("query").focus();
    });
  }

  set(state) {
    this.part("query").value = state.get("q") ?? "";
    for (const select of this.selects) {
      const facet = this.rows.index.facets.find(({ name }) => name === select.name);
      const at = facet.values.findIndex(({ value }) => value === state.get(select.name));
      select.value = at < 0 ? "" : at;
    }
  }

  state() {
    const state = new URLSearchParams();
    const query = this.part("query").value.trim();
    if (query) state.set("q", query);
    for (const select of this.selects) {
      if (select.value !== "") {
        state.set(select.name, this.rows.index.facets.find(({ name }) => name === select.name).values[select.value].value);
      }
    }
    if (this.open !== null) state.set("row", this.rows.index.ids[this.open]);
    return state;
  }

  address() {
    return `#rows?${this.state()}`;
  }

  // Shows the state that the address holds.
  async show(state) {
    this.set(state);
    const number = this.rows.index.ids.indexOf(state.get("row"));
    if (number < 0) this.leave();
    else await this.read(number);
    await this.run();
    if (number >= 0) this.list.follow(number);
  }

  filter() {
    history.replaceState(null, "", this.address());
    this.run();
  }

  // Finds the rows that match the filters and the search.
  async run() {
    const filters = {};
    for (const select of this.selects) if (select.value !== "") filters[select.name] = Number(select.value);
    const query = this.part("query").value.trim();
    const asked = JSON.stringify([filters, query]);
    if (asked === this.asked) return;
    this.asked = asked;
    const search = ++this.search;
    this.terms = termsOf(query);
    const numbers = this.rows.filtered(filters);
    if (!this.terms.length) return this.found(numbers, 1, true);
    this.part("count").dataset.done = false;
    let fresh = true;
    await this.rows.search(numbers, this.terms, (hits, share) => {
      if (search !== this.search) return false;
      // Redraws the growing list only when it has new rows.
      if (fresh || share === 1 || hits.length !== this.list.numbers.length) this.found(hits.slice(), share, fresh);
      fresh = false;
      return true;
    });
  }

  found(numbers, share, fresh) {
    this.list.show(numbers, fresh);
    const of = numbers.length === this.rows.total ? "" : ` of ${this.rows.total.toLocaleString("en")}`;
    const progress = share < 1 ? `, ${Math.round(share * 100)} % searched` : "";
    this.part("count").textContent = `${numbers.length.toLocaleString("en")}${of} rows${progress}`;
    this.part("count").dataset.done = share === 1;
    this.part("clear").hidden = !this.terms.length && this.selects.every((select) => select.value === "");
    this.part("empty").hidden = numbers.length > 0 || share < 1;
  }

  fill(option, number) {
    option.append(element("div", { class: "meta" }, element("span", { class: "id" }, this.rows.index.ids[number])));
    const text = option.appendChild(element("div", { class: "snippet" }, "…"));
    this.rows.row(number).then((row) => {
      option.firstChild.append(element("span", { class: "badges" }, ...badges(row, this.rows.index.steps[row.step])));
      text.replaceChildren(...prose(row.problem.slice(0, 240), this.terms));
    });
  }

  chosen(number, firmly) {
    if (!firmly && NARROW.matches) return; // a narrow screen shows either the list or the row
    const reopened = this.open === null;
    this.open = number;
    history[firmly && reopened ? "pushState" : "replaceState"](null, "", this.address());
    this.read(number, firmly);
  }

  // Opens a row; `firmly` also moves the focus to it.
  async read(number, firmly = false) {
    this.open = number;
    const row = await this.rows.row(number);
    if (this.open !== number) return;
    const detail = this.part("detail");
    this.part("row").replaceChildren(...ancestry(row, this.rows.index.steps, this.terms, (other) => this.turn(other)));
    this.view.classList.add("reading");
    detail.scrollTop = 0;
    if (firmly) detail.focus();
  }

  // Opens another row of the same seed problem.
  turn(row) {
    this.list.follow(row.number);
    this.chosen(row.number, true);
  }

  close() {
    this.leave();
    history.replaceState(null, "", this.address());
    this.part("list").focus();
  }

  leave() {
    this.open = null;
    this.view.classList.remove("reading");
    this.part("row").replaceChildren();
  }
}
