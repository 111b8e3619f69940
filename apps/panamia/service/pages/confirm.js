"use strict";

const PAGES = {
  "/confirm-sign-in": {
    title: "Confirm your sign-in",
    what: "Whoever signs in with this provider from now on is you. Confirm it only if you did so just now.",
    path: "/api/auth/complete-oauth-verification",
    done: () => location.replace("/"),
  },
  "/confirm-address": {
    title: "Confirm your new address",
    what: "You sign in with the new address from now on, and again on every device.",
    path: "/api/user/complete-email-migration",
    done: () => location.replace("/signin"),
  },
};
const page = PAGES[location.pathname];
const said = document.getElementById("said");

function tell(text) {
  said.textContent = text;
  said.hidden = false;
}

document.getElementById("title").textContent = page.title;
document.getElementById("what").textContent = page.what;
document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ token: new URLSearchParams(location.search).get("token") });
  try {
    const answer = await fetch(page.path, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (answer.ok) page.done();
    else tell((await answer.json()).error);
  } catch {
    tell("The service does not answer. Try again in a moment.");
  }
});
