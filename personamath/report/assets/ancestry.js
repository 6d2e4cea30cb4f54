// Shows a row, or an answer that was not kept, with its ancestry, in order. `actions` are buttons for it.

function ancestry(row, steps, terms, turn, actions) {
  const step = steps[row.step];
  const parts = row.reason ? lostParts(row, step, terms) : keptParts(row, step, terms);
  return [
    element("h2", {}, row.id),
    element("p", { class: "badges" }, ...badges(row, step)),
    actions,
    siblings(row, steps, turn),
    element("ol", { class: "ancestry" }, ...[seed(row.family, terms), ...parts].filter(Boolean)),
    facts_of(row, step),
  ];
}

function keptParts(row, step, terms) {
  return [
    step.corrects && wrong(row.family, step, terms),
    row.review && part("Review", "of the wrong solution", row.review, terms),
    row.persona && part("Persona", row.occupation, row.persona, terms),
    ...Object.entries(row.columns).map(([name, text]) => part(name, "", text, terms)),
    asks(row, step) && part(step.rewrites ? "Rewrite" : "Problem", remark(row), row.problem, terms),
    part(step.corrects ? "Correction" : "Solution", step.corrects ? "the text to train on" : "", row.response, terms),
    part("Reference answer", step.answer, `$${row.answer}$`, []),
  ];
}

// `row.problem` is null unless the answer was graded.
function lostParts(row, step, terms) {
  const reflects = row.family.wrong && row.prompt.includes(row.family.wrong);
  return [
    reflects && wrong(row.family, step, terms),
    row.persona && part("Persona", row.occupation, row.persona, terms),
    row.problem && asks(row, step) && part(step.rewrites ? "Rewrite" : "Problem", remark(row), row.problem, terms),
    folded("Prompt", "what the teacher was asked", row.prompt),
    part("The teacher’s answer", row.says, row.response, terms),
    reason(row),
    row.answer && part("Reference answer", row.problem ? step.answer : "of the seed problem", `$${row.answer}$`, []),
  ];
}

function seed(family, terms) {
  const facts = [family.label, family.level && `level ${family.level}`, family.subject].filter(Boolean).join(" · ");
  return part("Seed problem", facts, family.problem, terms);
}

function reason(row) {
  const text = element("p", { class: "reason" }, row.reason);
  return element("li", { class: "lost" }, element("h3", {}, "Not kept"), text);
}

// A long text that few readers want: it is shown when they ask for it.
function folded(title, remark, text) {
  const summary = element("summary", {}, remark);
  return element("li", {}, element("h3", {}, title), element("details", {}, summary, element("pre", {}, text)));
}

// Labels that distinguish a row at a glance: its step, whether its problem is reworded, whether it has a review.
function badges(row, step) {
  const texts = [step.label, !row.reason && step.rewrites && "reworded", row.review && "reviewed"].filter(Boolean);
  const made = texts.map((text) => element("span", {}, text));
  return row.reason ? [...made, element("span", { class: "lost" }, row.reason)] : made;
}

// Whether a row's problem differs from its seed problem.
function asks(row, step) {
  return step.rewrites || row.problem !== row.family.problem;
}

function remark(row) {
  if (row.flag) return `flag: ${row.flag}`;
  return row.persona ? "for that persona" : "";
}

function part(title, remark, text, terms) {
  const heading = element("h3", {}, title);
  if (remark) heading.append(element("span", {}, remark));
  return element("li", {}, heading, element("div", { class: "text" }, ...typeset(text, terms)));
}

function wrong({ wrong }, step, terms) {
  if (wrong) return part("Wrong solution", "the teacher's first answer", wrong, terms);
  const where = element("p", {}, step.no_wrong);
  return element("li", { class: "missing" }, element("h3", {}, "Wrong solution"), where);
}

// Buttons for the rows of the same seed problem, labelled with the part of the id after the seed id, or with the step.
function siblings(row, steps, turn) {
  const buttons = row.family.rows.map((other) => {
    const { label } = steps[other.step];
    const name = other.id.split("/").slice(1).join("/") || label;
    const button = element("button", { type: "button" }, other.reason ? `${name}: ${other.reason}` : name);
    if (other.reason) button.className = "lost";
    button.title = other.says ?? other.persona ?? label;
    if (other === row) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => turn(other));
    return button;
  });
  return element("nav", { class: "family", "aria-label": "What the same seed problem became" }, ...buttons);
}

function facts_of(row, step) {
  const facts = { step: row.asked ?? step.label, teacher: row.teacher, request: row.request, "overlap with a test problem": row.overlap };
  const shown = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null);
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}
