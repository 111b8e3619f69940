"use strict";

const PATH = "/api/notifications/preferences";
const LABELS = {
  coauthorInvites: "Invitations to write together, and their answers",
  reviewRequests: "Requests for a review, and approvals",
  articlePublished: "Articles of yours that are published",
  articleReplies: "Replies to articles of yours",
  revisionNeeded: "Revisions that a review asks for",
  mentoringRequests: "Mentoring sessions",
  systemAnnouncements: "What the site does and announces",
  bookings: "Bookings, of what you offer and of what you book",
};
const said = document.getElementById("said");
const choices = document.getElementById("choices");

function tell(text, good) {
  said.textContent = text;
  said.classList.toggle("good", good);
  said.hidden = false;
}

async function ask(options) {
  const answer = await fetch(PATH, options);
  if (answer.status === 401) location.replace("/signin");
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

async function choose(box) {
  const body = JSON.stringify({ [box.name]: box.checked });
  try {
    await ask({ method: "PATCH", headers: { "content-type": "application/json" }, body });
    tell("Saved.", true);
  } catch (fault) {
    box.checked = !box.checked;
    tell(fault.message, false);
  }
}

async function show() {
  try {
    const chosen = await ask();
    for (const [key, label] of Object.entries(LABELS)) {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.name = key;
      box.checked = chosen[key];
      box.addEventListener("change", () => choose(box));
      const line = document.createElement("label");
      line.append(box, ` ${label}`);
      choices.append(line);
    }
  } catch (fault) {
    tell(fault.message, false);
  }
}

show();
