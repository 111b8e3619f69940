"use strict";

// A form with data-path sends its fields as JSON, by data-method (POST where it says none). Then it goes to data-then (with
// {id} of the answer), says data-show of the answer, or shows the page anew. `place.lat` is a field of an object, which is
// null where nothing of it is filled in. An empty field is left out, but with data-empty.

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.value === "" && !("empty" in field.dataset)) return undefined;
  return "number" in field.dataset ? Number(field.value) : field.value;
}

function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    const [name, part] = field.name.split(".");
    const value = valueOf(field);
    if (part !== undefined) body[name] ??= null;
    if (value === undefined) continue;
    body[name] = part === undefined ? value : { ...body[name], [part]: value };
  }
  return body;
}

function told(found) {
  const days = (found.conflicts ?? []).map((one) => `${one.from} to ${one.to}`);
  const fields = (found.fields ?? []).map((one) => `${one.field}: ${one.error}`);
  return [found.error, ...days, ...fields].join(" · ");
}

async function send(form, said) {
  const { path, method = "POST", then, show } = form.dataset;
  const options = { method, headers: { accept: "application/json" } };
  if (method !== "DELETE") {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(bodyOf(form));
  }
  const answer = await fetch(path, options);
  const found = answer.status === 204 ? {} : await answer.json();
  said.classList.toggle("good", answer.ok);
  if (!answer.ok) {
    said.textContent = told(found);
    if (found.code === "price-changed") { // it was told: whoever sends it again agrees
      form.elements.expectedPricePerDay.value = found.pricePerDay;
      form.elements.currency.value = found.currency;
    }
  } else if (show) {
    said.textContent = found[show];
  } else if (then) {
    location.assign(then.replace("{id}", encodeURIComponent(found.id)));
  } else {
    location.reload();
  }
}

for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const said = form.querySelector("[role=status]");
    button.disabled = true;
    said.textContent = "";
    send(form, said)
      .catch(() => { said.textContent = "The service does not answer. Try again in a moment."; })
      .finally(() => { button.disabled = false; });
  });
}

for (const field of document.querySelectorAll("[data-here]")) {
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
}
