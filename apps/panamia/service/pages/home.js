"use strict";

const part = (id) => document.getElementById(id);

async function ask(path, options) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, ...options });
  if (answer.status === 401) {
    location.replace("/signin");
    throw new Error("nobody is signed in");
  }
  if (answer.status === 204) return null;
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

function fill(list, pairs) {
  list.replaceChildren();
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "" || typeof value === "object") continue;
    const term = document.createElement("dt");
    term.textContent = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    const shown = document.createElement("dd");
    shown.textContent = String(value);
    list.append(term, shown);
  }
}

function tell(text) {
  part("away").textContent = text;
  part("away").hidden = text === "";
}

function nothing(list, text) {
  const line = document.createElement(list.tagName === "DL" ? "dd" : "li");
  line.className = "nothing";
  line.textContent = text;
  list.replaceChildren(line);
}

async function showProfile() {
  const { user, profile, profileUnavailable, store } = await ask("/api/profile");
  fill(part("user"), Object.entries(user));
  part("profile-store").textContent = store ? `${store === "mongodb" ? "MongoDB" : "PostgreSQL"}, profiles` : "";
  if (profileUnavailable) {
    nothing(part("profile"), "not to be had at the moment");
    tell("MongoDB does not answer. Everything else works, and your profile comes back by itself.");
    return;
  }
  tell("");
  if (profile === null) nothing(part("profile"), "You have none yet.");
  else fill(part("profile"), Object.entries(profile));
}

async function showNotifications() {
  const page = await ask("/api/notifications?limit=10");
  const { count } = await ask("/api/notifications/unread-count");
  part("unread").textContent = `${count} unread, ${page.total} in all`;
  part("mark-all").hidden = count === 0;
  const list = part("notifications");
  if (page.notifications.length === 0) {
    nothing(list, "Nothing has happened yet.");
    return;
  }
  list.replaceChildren(
    ...page.notifications.map((one) => {
      const line = document.createElement("li");
      line.className = one.read ? "read" : "unread";
      // A path is of the site; only pages of services beside this one are known to be there.
      const leads = /^https?:\/\//.test(one.objectUrl ?? "");
      const text = document.createElement(leads ? "a" : "span");
      if (leads) text.href = one.objectUrl;
      text.textContent = one.displayMessage;
      const when = document.createElement("time");
      when.dateTime = one.createdAt;
      when.textContent = new Date(one.createdAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      line.append(text, when);
      return line;
    }),
  );
}

async function show() {
  try {
    await showProfile();
    await showNotifications();
    part("sign-out").hidden = false;
  } catch (fault) {
    tell(fault.message);
  }
}

part("sign-out").addEventListener("click", async () => {
  await ask("/api/auth/signout", { method: "POST" });
  location.replace("/signin");
});
part("mark-all").addEventListener("click", async () => {
  await ask("/api/notifications/mark-all-read", { method: "POST" });
  await showNotifications();
});
show();
setInterval(show, 30_000);
