// Turns foreign text into nodes: prose as text nodes, mathematics by KaTeX. Nothing is parsed as HTML.

// Longer texts are shown without typesetting. No genuine row comes close, and in a maliciously slow text the search for
// mathematics takes time with the square of its length.
const TYPESET_LIMIT = 50000;
// KaTeX's own defences: no links, files or styles (trust), no loops (maxExpand), nothing larger than a few lines (maxSize, in em).
const KATEX = { throwOnError: false, trust: false, strict: false, maxExpand: 500, maxSize: 12, errorColor: "currentColor" };

// Everything that is not prose. A dollar sign means money, not mathematics, if a space is next to it or a digit follows
// the closing one, as in pandoc, or if an equation ends in it, as in GSM8K's $9*4=$<<9*4=36>>36. Every span is bounded,
// so that an unclosed delimiter costs little.
const SPANS = new RegExp(
  [
    "(?<fence>```\\w*\\n(?<program>[^]{1,20000}?)```)",
    String.raw`(?<figure>\[asy\][^]{0,20000}?\[\/asy\])`,
    String.raw`(?<escaped>\\\$)`,
    String.raw`\n?[ \t]{0,20}(?:\\\[(?<bracketed>[^]{1,3000}?)\\\]|\$\$(?<doubled>[^$]{1,3000}?)\$\$|(?<environment>\\begin\{(?<name>(?:align|alignat|equation|gather|multline)\*?)\}[^]{1,3000}?\\end\{\k<name>\}))[ \t]{0,20}\n?`,
    String.raw`\\\((?<inline>[^]{1,2000}?)\\\)`,
    String.raw`(?<![\\$])\$(?<dollars>(?![\s$])(?:[^$\\]|\\[^]){1,2000}?)(?<![\s\\=])\$(?![\d$]|<<)`,
    String.raw`(?<box>\\boxed\{[^{}\n]{1,200}\})`,
    String.raw`\*\*(?<bold>(?![\s*])[^*\n]{1,500}?)\*\*`,
    String.raw`(?<=^|\n)[ \t]{0,20}#{1,6} +(?<heading>[^\n]{1,500})\n?`,
  ].join("|"),
  "g",
);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function mathematics(source, displayMode) {
  const holder = element("span", { class: displayMode ? "display" : "inline" });
  try {
    katex.render(source, holder, { ...KATEX, displayMode, macros: {} });
  } catch {
    holder.textContent = source; // e.g. nested too deeply for KaTeX's stack
  }
  return holder;
}

// Marks the search terms in prose.
function prose(text, terms) {
  if (!terms.length) return [text];
  const parts = text.split(new RegExp(`(${terms.map(escaped).join("|")})`, "gi"));
  return parts.map((part, at) => (at % 2 ? element("mark", {}, part) : part));
}

function escaped(term) {
  return term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function span(match, terms) {
  const found = match.groups;
  if (found.fence) return element("pre", {}, found.program.trimEnd());
  if (found.figure) return element("pre", {}, found.figure);
  if (found.escaped) return "$";
  const display = found.bracketed ?? found.doubled ?? found.environment;
  if (display) return mathematics(display, true);
  const inline = found.inline ?? found.dollars ?? found.box;
  if (inline) return mathematics(inline, false);
  if (found.heading) return element("strong", { class: "heading" }, ...typeset(found.heading, terms));
  return element("strong", {}, ...typeset(found.bold, terms));
}

// Returns the nodes of a text, with `terms` marked in its prose.
function typeset(text, terms = []) {
  if (text.length > TYPESET_LIMIT) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(SPANS)) {
    nodes.push(...prose(text.slice(end, match.index), terms), span(match, terms));
    end = match.index + match[0].length;
  }
  nodes.push(...prose(text.slice(end), terms));
  return nodes;
}
