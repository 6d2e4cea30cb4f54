// Shows a row with its ancestry, in order.

function ancestry(row, steps, terms, turn) {
  const { family } = row;
  const step = steps[row.step];
  const facts = [family.source, family.level && `level ${family.level}`, family.subject].filter(Boolean).join(" · ");
  return [
    element("h2", {}, row.id),
    element("p", { class: "badges" }, ...badges(row, step)),
    siblings(row, steps, turn),
    element(
      "ol",
      { class: "ancestry" },
      ...[
        part("Seed problem", facts, family.problem, terms),
        step.corrects && wrong(family, terms),
        row.review && part("Review", "of the wrong solution", row.review, terms),
        row.persona && part("Persona", row.occupation, row.persona, terms),
        ...Object.entries(row.columns).map(([name, text]) => part(name, "", text, terms)),
        asks(row, step) && part(step.rewrites ? "Rewrite" : "Problem", remark(row), row.problem, terms),
        part(step.corrects ? "Correction" : "Solution", step.corrects ? "the text to train on" : "", row.response, terms),
        part("Reference answer", step.answer, `$${row.answer}$`, []),
      ].filter(Boolean),
    ),
    facts_of(row),
  ];
}

// Labels that distinguish a row at a glance: its step, whether its problem is reworded, whether it has a review.
function badges(row, step) {
  const texts = [step.label, step.rewrites && "reworded", row.review && "reviewed"].filter(Boolean);
  return texts.map((text) => element("span", {}, text));
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

function wrong({ wrong }, terms) {
  if (wrong) return part("Wrong solution", "the teacher's first answer", wrong, terms);
  const where = element("p", {}, "It is in the run's journal, which was not available for this report.");
  return element("li", { class: "missing" }, element("h3", {}, "Wrong solution"), where);
}

// Buttons for the rows of the same seed problem, labelled with the part of the id after the seed id, or with the step.
function siblings(row, steps, turn) {
  const buttons = row.family.rows.map((other) => {
    const { label } = steps[other.step];
    const button = element("button", { type: "button" }, other.id.split("/").slice(1).join("/") || label);
    button.title = other.persona ?? label;
    if (other === row) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => turn(other));
    return button;
  });
  return element("nav", { class: "family", "aria-label": "Rows of the same seed problem" }, ...buttons);
}

function facts_of(row) {
  const facts = { step: row.step, teacher: row.teacher, request: row.request, "overlap with a test problem": row.overlap };
  const shown = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null);
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}
