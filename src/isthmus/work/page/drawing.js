// A box under the pointer, or with the focus inside, shows its own lines only.
const drawing = document.querySelector("figure svg");
if (drawing) {
  const lines = [...drawing.querySelectorAll(".line")];
  for (const box of drawing.querySelectorAll(".box")) {
    const show = () => {
      drawing.classList.add("pointed");
      for (const line of lines) line.classList.toggle("mine", line.dataset.ends.split(" ").includes(box.dataset.number));
    };
    const hide = () => drawing.classList.remove("pointed");
    box.addEventListener("pointerenter", show);
    box.addEventListener("pointerleave", hide);
    box.addEventListener("focusin", show);
    box.addEventListener("focusout", hide);
  }
}
