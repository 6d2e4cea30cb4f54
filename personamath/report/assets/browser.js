// The browser of rows: filters, search, the list, and one row with its ancestry. The address holds its state.

const NARROW = matchMedia("(max-width: 56rem)");
// Pause in typing, in ms, after which the search starts.
const TYPING = 150;
class Browser {
  constructor(view, rows) {
    this.view = view;
    this.rows = rows;
    this.marks = new Marks(rows.index);
    this.part = (name) => view.querySelector(`[data-part=${name}]`);
    this.list = new List(this.part("list"), (option, number) => this.fill(option, number), (number, firmly) => this.chosen(number, firmly));
    this.actions = new Actions(this.part, rows, this.marks, this.list);
    this.search = 0;
    this.terms = [];
    this.asked = null;
    this.all = 0; // how many have the chosen outcome
    this.counted = null; // the outcome that the filters' numbers are of
    this.open = null;
    this.choices = [...rows.index.facets, MARKS, orders(rows.index)].map((choice) => this.choice(choice));
    this.listen();
  }

  // Makes a select; one with only one value is not shown.
  choice(facts) {
    const choice = new Choice(facts, () => this.filter());
    if (facts.values.length > 1) this.part("clear").before(choice.element);
    return choice;
  }

  chosenOf(name) {
    return this.choices.find((choice) => choice.name === name)?.chosen;
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
    for (const choice of this.choices) choice.set(state.get(choice.name));
  }

  state() {
    const state = new URLSearchParams();
    const query = this.part("query").value.trim();
    if (query) state.set("q", query);
    for (const choice of this.choices) if (!choice.isPreset) state.set(choice.name, choice.chosen.value);
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
    for (const { name, chosen } of this.choices) if (chosen?.codes) filters[name] = chosen.codes;
    const mark = this.chosenOf("mark");
    const order = this.chosenOf("sort");
    const query = this.part("query").value.trim();
    const asked = JSON.stringify([filters, mark?.value, order.value, query]);
    if (asked === this.asked) return;
    this.asked = asked;
    const search = ++this.search;
    this.terms = termsOf(query);
    this.outcome(filters);
    let numbers = this.rows.filtered(filters);
    if (mark) numbers = numbers.filter((number) => mark.passes(this.marks.of(number)));
    if (!this.terms.length) return this.found(ordered(numbers, order), 1, true);
    this.part("count").dataset.done = false;
    let fresh = true;
    await this.rows.search(numbers, this.terms, (hits, share) => {
      if (search !== this.search) return false;
      // Redraws the growing list only when it has new rows; another order is known only at the end.
      if (share === 1) this.found(ordered(hits, order), share, fresh || Boolean(order.key));
      else if (!order.key && (fresh || hits.length !== this.list.numbers.length)) this.found(hits.slice(), share, fresh);
      fresh = false;
      return true;
    });
  }

  // Counts what has the chosen outcome, for the other filters and for the line above the list.
  outcome({ outcome }) {
    const key = String(outcome);
    if (this.counted === key) return;
    this.counted = key;
    const numbers = this.rows.filtered(outcome ? { outcome } : {});
    this.all = numbers.length;
    for (const choice of this.choices) choice.count(numbers);
  }

  found(numbers, share, fresh) {
    this.list.show(numbers, fresh);
    const some = numbers.length === this.all ? "" : `${numbers.length.toLocaleString("en")} of `;
    const progress = share < 1 ? `, ${Math.round(share * 100)} % searched` : "";
    const outcome = this.chosenOf("outcome");
    const noun = outcome && outcome.value !== "kept" ? "answer" : "row";
    this.part("count").textContent = some + numberOf(this.all, noun) + progress;
    this.part("count").dataset.done = share === 1;
    this.part("clear").hidden = !this.terms.length && this.choices.every((choice) => choice.isPreset);
    this.part("empty").hidden = numbers.length > 0 || share < 1;
    this.part("export").disabled = !numbers.length;
  }

  fill(option, number) {
    option.append(element("div", { class: "meta" }, element("span", { class: "id" }, this.rows.index.ids[number])));
    const text = option.appendChild(element("div", { class: "snippet" }, "…"));
    const mark = this.marks.of(number);
    this.rows.row(number).then((row) => {
      const labels = badges(row, this.rows.index.steps[row.step]).filter((_, at) => !at || row.reason); // the id needs the room
      if (mark) labels.unshift(element("span", { class: mark }, mark));
      option.firstChild.append(element("span", { class: "badges" }, ...labels));
      text.replaceChildren(...prose((row.problem ?? row.response).slice(0, 240), this.terms));
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
    const parts = ancestry(row, this.rows.index.steps, this.terms, (other) => this.turn(other), this.actions.of(row));
    this.part("row").replaceChildren(...parts);
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
    this.actions.row = null;
    this.view.classList.remove("reading");
    this.part("row").replaceChildren();
  }
}
