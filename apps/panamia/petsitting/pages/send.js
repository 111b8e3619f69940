"use strict";

// A form with data-path sends its fields as JSON, and goes to data-then (with {id} of the answer), or shows the page anew.

function told(body) {
  const days = (body.conflicts ?? []).map((one) => `${one.from} to ${one.to}`);
  const fields = (body.fields ?? []).map((one) => `${one.field}: ${one.error}`);
  return [body.error, ...days, ...fields].join(" · ");
}

async function send(form) {
  const said = form.querySelector("[role=status]");
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const numbers = new Set([...form.querySelectorAll("[data-number]")].map((one) => one.name));
  const body = Object.fromEntries(fields.map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]));
  said.textContent = "";
  const answer = await fetch(form.dataset.path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) {
    said.textContent = told(found);
    return;
  }
  location.assign(form.dataset.then ? form.dataset.then.replace("{id}", encodeURIComponent(found.id)) : location.href);
}

for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    send(form)
      .catch((fault) => { form.querySelector("[role=status]").textContent = fault.message; })
      .finally(() => { button.disabled = false; });
  });
}
