// What a reader does with rows: marks them, copies one, saves those of the list.

// Keys that mark the open row, while the list or the row has the focus.
const MARK_KEYS = { g: "good", b: "bad" };
const capital = (text) => text[0].toUpperCase() + text.slice(1);

class Actions {
  constructor(part, rows, marks, list) {
    this.part = part;
    this.rows = rows;
    this.marks = marks;
    this.list = list;
    this.row = null; // the open one
    part("export").addEventListener("click", () => this.export());
    part("save").addEventListener("click", () => this.save());
    for (const name of ["list", "detail"]) part(name).addEventListener("keydown", (event) => this.key(event));
  }

  // Returns the buttons of a row, which is the open one from now on. What was not kept is no row, so it has no marks.
  of(row) {
    this.row = row;
    this.buttons = row.reason ? [] : Object.entries(MARK_KEYS).map(([key, mark]) => this.button(key, mark));
    const copying = element("button", { type: "button", name: "copy" }, "Copy as JSON");
    copying.addEventListener("click", () => this.copy(row));
    this.press();
    return element("p", { class: "actions" }, ...this.buttons, copying);
  }

  button(key, mark) {
    const button = element("button", { type: "button", name: mark, "aria-keyshortcuts": key }, `${capital(mark)} `, element("kbd", {}, key));
    button.addEventListener("click", () => this.mark(mark));
    return button;
  }

  press() {
    for (const button of this.buttons) button.setAttribute("aria-pressed", this.marks.of(this.row.number) === button.name);
  }

  key(event) {
    if (!(event.key in MARK_KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.mark(MARK_KEYS[event.key]);
  }

  // Marks the open row. It stays in the list even if the list shows other marks only.
  mark(mark) {
    if (!this.row || this.row.reason) return;
    this.marks.toggle(this.row.number, mark);
    this.press();
    this.list.show(this.list.numbers, false);
    const now = this.marks.of(this.row.number);
    const kept = this.marks.isKept ? "" : " This browser keeps no marks: save them before you close the page.";
    this.say((now ? `Marked ${now}.` : "No longer marked.") + kept);
  }

  async copy(row) {
    const copied = await copy(JSON.stringify(record(row, this.rows.index), null, 1));
    this.say(copied ? "Copied." : "This browser does not let the page copy: export the row instead.");
  }

  save() {
    const lines = this.marks.lines();
    if (lines.length) save("marks.jsonl", lines);
    this.say(lines.length ? `Saved ${numberOf(lines.length, "mark")}.` : "No row is marked: open one and press g (good) or b (bad).");
  }

  // Saves the rows of the list, in its order.
  async export() {
    const { numbers } = this.list;
    const button = this.part("export");
    button.disabled = true;
    const lines = await this.rows.lines(numbers, (share) => this.say(`${Math.round(share * 100)} % exported`));
    save("rows.jsonl", lines);
    this.say(`Exported ${numberOf(numbers.length, "line")}.`);
    button.disabled = false;
  }

  say(text) {
    this.part("said").textContent = text;
  }
}
