"use strict";

const part = (tag, text, kind) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind !== undefined) made.className = kind;
  return made;
};

/** What a schema is, in one word or two; what it refers to by its name. */
function wordsOf(schema) {
  if (schema === undefined) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(wordsOf).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(", ");
  if (schema.type === "array") return `list of ${wordsOf(schema.items)}`;
  return schema.format ?? schema.type ?? "anything";
}

const fieldsOf = (all, schema) => {
  const name = schema?.$ref?.split("/").pop();
  const meant = name ? all.components.schemas[name] : schema;
  return Object.entries(meant?.properties ?? {}).map(([key, one]) => [
    key + ((meant.required ?? []).includes(key) ? "" : "?"), wordsOf(one),
  ]);
};

function table(title, rows) {
  const made = [part("h4", title)];
  const list = part("dl");
  for (const [name, words] of rows) list.append(part("dt", name), part("dd", words));
  made.push(list);
  return made;
}

function field(name, made) {
  const label = part("label", `${name} `);
  made.name = name;
  label.append(made);
  return label;
}

/** What asks the route, as whoever is signed in, and shows the answer. */
function form(path, method, parameters, hasBody) {
  const made = part("form");
  for (const one of parameters) made.append(field(one.name, part("input")));
  if (hasBody) made.append(field("body", part("textarea")));
  const answer = part("pre");
  answer.hidden = true;
  made.append(part("button", "Send"), answer);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    let address = path;
    const query = new URLSearchParams();
    for (const one of parameters) {
      const value = made.elements[one.name].value;
      if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(value));
      else if (one.in === "query" && value !== "") query.append(one.name, value);
    }
    const options = { method: method.toUpperCase() };
    if (hasBody) {
      options.headers = { "content-type": "application/json" };
      options.body = made.elements.body.value;
    }
    try {
      const got = await fetch(query.size ? `${address}?${query}` : address, options);
      const text = await got.text();
      const kind = got.headers.get("content-type") ?? "";
      answer.textContent = `${got.status}\n${kind.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
    } catch {
      answer.textContent = "The service does not answer.";
    }
    answer.hidden = false;
  });
  return made;
}

function shown(all, path, method, route) {
  const made = part("details");
  const line = part("summary");
  line.append(part("code", `${method.toUpperCase()} ${path}`), part("span", ` ${route.summary ?? ""}`));
  made.append(line);
  const more = (route.description ?? "").replace(`${route.summary}.`, "").trim();
  if (more) made.append(part("p", more));
  const parameters = (route.parameters ?? []).map((one) => [
    one.name + (one.required ? "" : "?"), `${one.in}, ${wordsOf(one.schema)}`,
  ]);
  if (parameters.length) made.append(...table("Parameters", parameters));
  const body = route.requestBody?.content?.["application/json"]?.schema;
  if (body) made.append(...table("Body", fieldsOf(all, body)));
  for (const [status, answer] of Object.entries(route.responses)) {
    const schema = answer.content?.["application/json"]?.schema;
    if (status < "300" && schema) made.append(...table(`Answer ${status}`, fieldsOf(all, schema)));
  }
  const refusals = Object.entries(route.responses).filter(([status]) => status >= "300");
  if (refusals.length) made.append(...table("Else", refusals.map(([status, one]) => [status, one.description])));
  made.append(form(path, method, (route.parameters ?? []).filter((one) => one.in !== "header"), Boolean(body)));
  return made;
}

async function show() {
  const said = document.getElementById("said");
  try {
    const all = await (await fetch("/openapi.json")).json();
    const parts = new Map();
    for (const [path, methods] of Object.entries(all.paths)) {
      for (const [method, route] of Object.entries(methods)) {
        const name = route.tags?.[0] ?? "service";
        if (!parts.has(name)) {
          const section = part("section");
          section.append(part("h2", name));
          parts.set(name, section);
        }
        parts.get(name).append(shown(all, path, method, route));
      }
    }
    document.getElementById("parts").append(...parts.values());
  } catch {
    said.textContent = "The service does not answer. Try again in a moment.";
    said.hidden = false;
  }
}

show();
