"use strict";

const FAULTS = {
  Verification: "This link was used before, or is older than a day. Ask for a new one.",
  AccessDenied: "This account is locked. Write to us if that is a mistake.",
  EmailRequired: "Your provider did not tell us an e-mail address, which we need.",
  ProviderDisabled: "Signing in by this provider is switched off. A link by mail will do.",
  VerificationFailed: "The mail that confirms your address could not be sent. Try again later.",
};
const said = document.getElementById("said");

function tell(text, good) {
  said.textContent = text;
  said.classList.toggle("good", good);
  said.hidden = false;
}

const asked = new URLSearchParams(location.search);
if (asked.has("error")) tell(FAULTS[asked.get("error")] ?? "Signing in did not work. Try again.", false);
if (asked.has("verificationSent")) tell("Look into your mail: there is a link that confirms your address.", true);

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ email: event.target.email.value });
  try {
    const answer = await fetch("/api/auth/signin/email", {
      method: "POST", headers: { "content-type": "application/json" }, body,
    });
    if (answer.ok) tell("Look into your mail: there is a link that signs you in.", true);
    else tell((await answer.json()).error, false);
  } catch {
    tell("The service does not answer. Try again in a moment.", false);
  }
});
