// A box that chooses all others of its form which have a name.
for (const place of document.querySelectorAll("[data-choose-all]")) {
  const all = place.querySelector("input");
  const others = [...all.form.querySelectorAll(`input[name="${place.dataset.chooseAll}"]:not(:disabled)`)];
  const show = () => {
    const chosen = others.filter((one) => one.checked).length;
    all.checked = chosen === others.length;
    all.indeterminate = chosen > 0 && chosen < others.length;
  };
  all.addEventListener("change", () => {
    for (const one of others) one.checked = all.checked;
  });
  for (const one of others) one.addEventListener("change", show);
  place.hidden = others.length < 2;
  show();
}
