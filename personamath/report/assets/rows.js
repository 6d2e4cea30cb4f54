// The rows: packed in the page, unpacked on demand, searched one chunk at a time.

// Longest time, in ms, that a search blocks the page.
const SLICE = 12;

async function unpack(id) {
  const stream = (await binary(document.getElementById(id).textContent)).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).json();
}

async function binary(base64) {
  if (Uint8Array.fromBase64) return new Blob([Uint8Array.fromBase64(base64)]);
  return (await fetch("data:application/gzip;base64," + base64)).blob(); // for browsers before 2025; fifty times slower
}

class Rows {
  // `index` has the data of every row for the filters and the list; the texts stay packed.
  constructor(index) {
    this.index = index;
    this.total = index.ids.length;
    this.chunks = new Map();
  }

  static async open() {
    return new Rows(await unpack("row-index"));
  }

  chunkOf(number) {
    const { starts } = this.index;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Returns the rows of a chunk, unpacked once; each has a reference to its family.
  load(chunk) {
    if (!this.chunks.has(chunk)) this.chunks.set(chunk, this.unpack(chunk));
    return this.chunks.get(chunk);
  }

  async unpack(chunk) {
    let number = this.index.starts[chunk];
    const families = await unpack(`rows-${chunk}`);
    return families.flatMap((family) => {
      for (const row of family.rows) Object.assign(row, { family, number: number++ });
      return family.rows;
    });
  }

  async row(number) {
    const chunk = this.chunkOf(number);
    return (await this.load(chunk))[number - this.index.starts[chunk]];
  }

  // Returns the numbers of the rows that pass the filters: { facet name: the codes that pass }.
  filtered(filters) {
    const wanted = this.index.facets.filter((facet) => facet.name in filters);
    const tests = wanted.map(({ name, codes }) => ({ codes, passes: new Set(filters[name]) }));
    const numbers = [];
    for (let number = 0; number < this.total; number++) {
      if (tests.every(({ codes, passes }) => passes.has(codes[number]))) numbers.push(number);
    }
    return numbers;
  }

  // Finds the rows in `numbers` that contain every term; calls `found` with the hits so far, and stops if it returns
  // false.
  async search(numbers, terms, found) {
    const patterns = terms.map((term) => new RegExp(escaped(term), "i"));
    const hits = [];
    let rested = performance.now();
    for (let at = 0; at < numbers.length; ) {
      const chunk = this.chunkOf(numbers[at]);
      const rows = await this.load(chunk);
      const start = this.index.starts[chunk];
      for (; at < numbers.length && numbers[at] < start + rows.length; at++) {
        if (holds(rows[numbers[at] - start], patterns)) hits.push(numbers[at]);
      }
      if (performance.now() - rested > SLICE) {
        if (!found(hits, at / numbers.length)) return;
        await new Promise((resume) => setTimeout(resume));
        rested = performance.now();
      }
    }
    found(hits, 1);
  }

  // Returns the rows as lines of JSON, in the order of `numbers`; calls `progress` with the share that is done.
  async lines(numbers, progress) {
    const lines = [];
    let rested = performance.now();
    for (const number of numbers) {
      lines.push(JSON.stringify(record(await this.row(number), this.index)) + "\n");
      if (performance.now() - rested > SLICE) {
        progress(lines.length / numbers.length);
        await new Promise((resume) => setTimeout(resume));
        rested = performance.now();
      }
    }
    return lines;
  }
}

const SEARCHED = ["id", "problem", "response", "answer", "persona", "review", "reason", "prompt"];

function holds(row, patterns) {
  const { family } = row;
  return patterns.every(
    (pattern) =>
      SEARCHED.some((field) => row[field] && pattern.test(row[field])) ||
      pattern.test(family.problem) ||
      Object.values(row.columns).some((text) => pattern.test(text)) ||
      (family.wrong && pattern.test(family.wrong)),
  );
}

// Splits a query into words and "several words" in quotes.
function termsOf(query) {
  return [...query.matchAll(/"([^"]+)"|(\S+)/g)].map((match) => match[1] ?? match[2]);
}
