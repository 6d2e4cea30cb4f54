// The selects above the list: one for each filter, one for the marks, and one for the order.

// A choice has values, each with a text for the address, a label and perhaps a number of rows. Without a preset value, "all" is chosen first.
class Choice {
  constructor({ name, label, values, preset }, changed) {
    this.name = name;
    this.values = values;
    this.preset = preset === undefined ? "" : String(preset);
    const all = preset === undefined ? [element("option", { value: "" }, "all")] : [];
    const options = values.map((value, at) => element("option", { value: at }, value.label + counted(value)));
    this.select = element("select", { name }, ...all, ...options);
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

  set(text) {
    const at = this.values.findIndex(({ value }) => value === text);
    this.select.value = at < 0 ? this.preset : at;
  }
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
