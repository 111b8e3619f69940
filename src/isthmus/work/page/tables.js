// Tables of class "sortable" get a button in each heading; those of class "filterable" a field that hides rows.
// A cell's data-value is what it is sorted by, where that is not its text. Numbers come before texts.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  const original = Array.from(body.rows);
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  };
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    const [hasX, hasY] = [a !== "" && !Number.isNaN(x), b !== "" && !Number.isNaN(y)];
    if (hasX && hasY) return x - y;
    if (hasX !== hasY) return hasX ? -1 : 1;
    return a.localeCompare(b, undefined, { numeric: true });
  };
  headings.forEach((heading, column) => {
    if (heading.classList.contains("unsortable") || heading.textContent.trim() === "") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const first = heading.classList.contains("number") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const now = before === null ? first : before === first ? second : null;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      const rows = original.slice();
      if (now !== null) {
        heading.setAttribute("aria-sort", now);
        const sign = now === "ascending" ? 1 : -1;
        rows.sort((a, b) => {
          const [x, y] = [valueOf(a, column), valueOf(b, column)];
          return (x === "") - (y === "") || sign * compare(x, y); // what is empty stays at the end
        });
      }
      body.append(...rows);
    });
  });
}
for (const table of document.querySelectorAll("table.filterable")) {
  const rows = Array.from(table.tBodies[0].rows);
  if (rows.length < 8) continue;
  const line = document.createElement("p");
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("span");
  line.className = "filter";
  label.textContent = "Show rows with";
  field.type = "search";
  field.id = `filter-${table.id || Math.random().toString(36).slice(2)}`;
  label.htmlFor = field.id;
  count.className = "muted";
  count.setAttribute("role", "status");
  line.append(label, field, count);
  (table.closest(".scroll") || table).before(line);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every((word) => texts[number].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = words.length ? `${shown} of ${rows.length}` : "";
  });
}
