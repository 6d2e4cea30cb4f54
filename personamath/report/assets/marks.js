// Marks on rows, good or bad. The browser keeps them under the dataset's key; "Save marks" makes a file of them.

const FINGERPRINT = 12; // hex digits, as in personamath/folder/marks.py
const MARKS = {
  name: "mark",
  label: "Mark",
  values: [
    { value: "good", label: "good", passes: (mark) => mark === "good" },
    { value: "bad", label: "bad", passes: (mark) => mark === "bad" },
    { value: "none", label: "not marked", passes: (mark) => !mark },
  ],
};

class Marks {
  constructor(index) {
    this.index = index;
    this.key = `personamath-marks:${index.dataset}`;
    this.stored = {};
    this.isKept = true;
    this.load();
  }

  // Reads the stored marks: another tab with the same dataset may have added some.
  load() {
    try {
      this.stored = JSON.parse(localStorage.getItem(this.key)) ?? this.stored;
    } catch {
      this.isKept = false; // the browser stores nothing for this page
    }
  }

  fingerprint(number) {
    return this.index.fingerprints.slice(number * FINGERPRINT, (number + 1) * FINGERPRINT);
  }

  // Returns the mark of a row; a row that was made again under the same id has none.
  of(number) {
    const id = this.index.ids[number];
    const found = Object.hasOwn(this.stored, id) ? this.stored[id] : null;
    return found?.row === this.fingerprint(number) ? found.mark : null;
  }

  // Sets the mark of a row, or takes it away if it has this one already.
  toggle(number, mark) {
    this.load();
    const id = this.index.ids[number];
    if (this.of(number) === mark) delete this.stored[id];
    else this.stored[id] = { mark, row: this.fingerprint(number) };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.stored));
    } catch {
      this.isKept = false;
    }
  }

  // Returns a line for each mark on this page's rows, in their order.
  lines() {
    const { ids } = this.index;
    const marked = ids.map((_, number) => number).filter((number) => this.of(number));
    return marked.map((number) => JSON.stringify({ id: ids[number], mark: this.of(number), row: this.fingerprint(number) }) + "\n");
  }
}
