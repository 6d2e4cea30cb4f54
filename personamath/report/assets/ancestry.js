// A row with everything it came from, in the order in which it came.

const STEPS = {
  stage1_inference: "solved",
  stage1_rewrite: "rewritten, solved",
  stage2_reflection: "corrected",
  stage2_rewrite: "rewritten, corrected",
};

function ancestry(row, terms, turn) {
  const { family } = row;
  const rewritten = row.step.endsWith("_rewrite");
  const second = row.step.startsWith("stage2");
  const facts = [family.source, family.level && `level ${family.level}`, family.subject].filter(Boolean).join(" · ");
  return [
    element("h2", {}, row.id),
    siblings(row, turn),
    element(
      "ol",
      { class: "ancestry" },
      ...[
        part("Seed problem", facts, family.problem, terms),
        second && wrong(family, terms),
        second && row.review && part("Review", "of the wrong solution", row.review, terms),
        rewritten && part("Persona", row.occupation, row.persona, terms),
        rewritten && part("Rewrite", row.flag ? `flag: ${row.flag}` : "for that persona", row.problem, terms),
        part(second ? "Correction" : "Solution", second ? "what is trained on" : "", row.response, terms),
        part("Reference answer", "of the seed problem", `$${family.answer}$`, []),
      ].filter(Boolean),
    ),
    facts_of(row),
  ];
}

function part(title, remark, text, terms) {
  const heading = element("h3", {}, title);
  if (remark) heading.append(element("span", {}, remark));
  return element("li", {}, heading, element("div", { class: "text" }, ...typeset(text, terms)));
}

function wrong({ wrong }, terms) {
  if (wrong) return part("Wrong solution", "the teacher's first", wrong, terms);
  const where = element("p", {}, "It lies in the journal of the run, which this report was made without.");
  return element("li", { class: "missing" }, element("h3", {}, "Wrong solution"), where);
}

// The rows of the same seed problem.
function siblings(row, turn) {
  const buttons = row.family.rows.map((other) => {
    const button = element("button", { type: "button" }, other.persona ? other.id.split("/").pop() : STEPS[other.step]);
    button.title = other.persona ?? "";
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
