"use strict";
// A click on the head of a column sorts the table by it, another one the other way round. Cells
// without a figure stay at the end.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const isNumber = head.classList.contains("number");
      const key = (row) => {
        const cell = row.cells[column];
        if (!isNumber) return cell.textContent;
        return "value" in cell.dataset ? Number(cell.dataset.value) : NaN;
      };
      const compare = (a, b) => {
        if (!isNumber) return (down ? -1 : 1) * a.localeCompare(b, "en", { numeric: true });
        if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
        return down ? b - a : a - b;
      };
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
    });
  });
}
