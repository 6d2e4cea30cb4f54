// The selects above the list: one for each filter, one for the marks, and one for the order.

// A choice has values, each with a text for the address, a label and perhaps a number of rows. Without a preset value, "all" is chosen first.
class Choice {
  constructor({ name, label, values, preset, codes }, changed) {
    this.name = name;
    this.values = values;
    this.codes = preset === undefined && codes; // of every item; the outcome's numbers do not depend on a choice
    this.preset = preset === undefined ? "" : String(preset);
    const all = preset === undefined ? [element("option", { value: "" }, "all")] : [];
    this.options = values.map((value, at) => element("option", { value: at }, value.label + counted(value)));
    this.select = element("select", { name }, ...all, ...this.options);
    this.select.addEventListener("change", changed);
    this.element = element("label", {}, element("span", {}, label), this.select);
    this.set(null);
  }

  get chosen() {
    return this.values[this.select.value] ?? null;
  }

  get isPreset() {
    return this.select.value === this.preset;
  }

  // Says how many of these items have each value; one that none has cannot be chosen.
  count(numbers) {
    if (!this.codes) return;
    const rows = new Map();
    for (const number of numbers) rows.set(this.codes[number], (rows.get(this.codes[number]) ?? 0) + 1);
    this.values.forEach(({ label, codes }, at) => {
      const found = codes.reduce((sum, code) => sum + (rows.get(code) ?? 0), 0);
      this.options[at].textContent = label + counted({ rows: found });
      this.options[at].disabled = !found;
    });
  }

  set(text) {
    const at = this.values.findIndex(({ value }) => value === text);
    this.select.value = at < 0 ? this.preset : at;
  }
}

// Returns a number with its noun: `1 row`, `2 rows`.
function numberOf(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

// Says how many rows have a value, and how many of all the page shows.
function counted({ rows, all = rows }) {
  if (rows === undefined) return "";
  const of = all > rows ? ` of ${all.toLocaleString("en")}` : "";
  return ` (${rows.toLocaleString("en")}${of})`;
}

// The orders of the list. `key` gives an item's place; items with equal places keep the order of the seed problems.
function orders({ lengths, facets }) {
  const level = facets.find(({ name }) => name === "level");
  const unknown = level.values.findIndex(({ value }) => value === "none");
  const place = (number, sign) => (level.codes[number] === unknown ? Infinity : sign * level.codes[number]);
  const values = [
    { value: "seed", label: "seed problem" },
    { value: "shortest", label: "shortest first", key: (number) => lengths[number] },
    { value: "longest", label: "longest first", key: (number) => -lengths[number] },
  ];
  if (level.values.length > 1) {
    values.push({ value: "lowest", label: "lowest level first", key: (number) => place(number, 1) });
    values.push({ value: "highest", label: "highest level first", key: (number) => place(number, -1) });
  }
  return { name: "sort", label: "Order", preset: 0, values };
}

function ordered(numbers, { key }) {
  if (!key) return numbers;
  const keys = new Map(numbers.map((number) => [number, key(number)]));
  return [...numbers].sort((one, other) => compare(keys.get(one), keys.get(other)) || one - other);
}

// Two levels that are not known are equal, and their difference is no number.
function compare(one, other) {
  return one === other ? 0 : one < other ? -1 : 1;
}
