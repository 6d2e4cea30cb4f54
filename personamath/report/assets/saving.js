// Rows as JSON: copied, or saved as a file. The page makes the file itself; nothing leaves the browser.

// Returns a row with the dataset's columns, or what was not kept with what is known about it.
function record(row, { columns, steps, method }) {
  const { family, number, occupation, says, asked, columns: own, ...facts } = row;
  const { source, seed, problem, level, subject } = family;
  const all = { source, seed_id: seed, seed_problem: problem, level, subject, method, ...steps[row.step].fixed, ...facts, ...own };
  if (row.reason) return { ...all, kept: false };
  return Object.fromEntries(
    columns.map(({ name, number }) => {
      const value = all[name] ?? null;
      return [name, number && value !== null ? Number(value) : value];
    }),
  );
}

function save(name, parts) {
  const address = URL.createObjectURL(new Blob(parts, { type: "application/jsonl" }));
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); // ms; a browser may ask where to save it
}

// Copies a text; returns whether the browser let it.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // the page may come from a server without HTTPS
  }
}

function copySelected(text) {
  const area = element("textarea", { class: "copied", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  const focused = document.activeElement;
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
