// Forms that ask the browser for a passkey, and send what it says: `data-passkey` is "get" or "create", `data-ask`
// is where the question comes from, and the field `answer` holds what is sent.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function question(options) {
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  const asked = { ...options, challenge: bytes(options.challenge) };
  if (options.user) asked.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) asked.excludeCredentials = known(options.excludeCredentials);
  if (options.allowCredentials) asked.allowCredentials = known(options.allowCredentials);
  return { publicKey: asked };
}

function answer(credential) {
  const said = credential.response;
  const response = { clientDataJSON: text(said.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (said[name]) response[name] = text(said[name]);
  }
  if (said.getTransports) response.transports = said.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: {},
  });
}

async function asked(form) {
  const body = new URLSearchParams(new FormData(form));
  const reply = await fetch(form.dataset.ask, { method: "POST", body, headers: { Accept: "text/plain" } });
  if (!reply.ok) throw new Error((await reply.text()).trim().split("\n").pop());
  if (reply.redirected) throw new Error("You are no longer signed in. Load the page again.");
  return reply.json();
}

async function send(form, button, message) {
  message.hidden = true;
  button.disabled = true;
  try {
    const options = question(await asked(form));
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create(options)
      : await navigator.credentials.get(options);
    form.elements.answer.value = answer(credential);
    for (const field of form.querySelectorAll("[type=password]")) field.value = "";
    form.submit();
  } catch (error) {
    const stopped = { NotAllowedError: "No passkey was used.", InvalidStateError: "This device has a passkey of yours already." };
    message.textContent = stopped[error.name] ?? error.message;
    message.hidden = false;
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, form.querySelector("button"), form.querySelector("[data-passkey-message]"));
  });
}
