// A list of any length; only its visible items are in the page.

// Height of an item in px, as in the style sheet, and the number of spare items above and below.
const ITEM = 68;
const SPARE = 6;

class List {
  // `fill(option, number)` puts a row into an option. `choose(number, firmly)` is called when a row is chosen; `firmly`
  // means by Enter or by pointer.
  constructor(box, fill, choose) {
    this.box = box;
    this.canvas = box.firstElementChild;
    this.fill = fill;
    this.choose = choose;
    this.numbers = [];
    this.active = -1;
    this.options = new Map();
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.activate(Number(option.dataset.at), true);
    });
  }

  // Shows these rows; the active row stays active if it is among them.
  show(numbers, fresh) {
    const active = this.numbers[this.active];
    this.numbers = numbers;
    this.active = numbers.indexOf(active);
    this.canvas.style.height = `${numbers.length * ITEM}px`;
    if (fresh) this.box.scrollTop = 0;
    for (const option of this.options.values()) option.remove();
    this.options.clear();
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ITEM) - SPARE);
    const last = Math.min(this.numbers.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ITEM) + SPARE);
    for (const [at, option] of this.options) {
      if (at < first || at >= last) {
        option.remove();
        this.options.delete(at);
      }
    }
    for (let at = first; at < last; at++) {
      if (!this.options.has(at)) this.options.set(at, this.canvas.appendChild(this.option(at)));
    }
    this.mark();
  }

  option(at) {
    const option = element("div", {
      role: "option",
      id: `option-${at}`,
      "aria-posinset": at + 1,
      "aria-setsize": this.numbers.length,
      "data-at": at,
    });
    option.style.top = `${at * ITEM}px`;
    this.fill(option, this.numbers[at]);
    return option;
  }

  mark() {
    for (const [at, option] of this.options) option.setAttribute("aria-selected", at === this.active);
    if (this.options.has(this.active)) this.box.setAttribute("aria-activedescendant", `option-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  // Activates the item at this position, scrolls to it and reports the choice.
  activate(at, firmly) {
    if (!this.numbers.length) return;
    this.active = Math.min(this.numbers.length - 1, Math.max(0, at));
    this.reveal();
    this.choose(this.numbers[this.active], firmly);
  }

  // Scrolls to a row that was chosen elsewhere, if the list contains it.
  follow(number) {
    this.active = this.numbers.indexOf(number);
    this.reveal();
  }

  reveal() {
    const top = this.active * ITEM;
    const { scrollTop, clientHeight } = this.box;
    if (this.active >= 0 && top < scrollTop) this.box.scrollTop = top;
    else if (this.active >= 0 && top + ITEM > scrollTop + clientHeight) this.box.scrollTop = top + ITEM - clientHeight;
    this.draw();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ITEM) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.activate(this.active < 0 ? 0 : this.active + steps[event.key], false);
    else if (event.key === "Enter" && this.active >= 0) this.activate(this.active, true);
    else return;
    event.preventDefault();
  }
}
