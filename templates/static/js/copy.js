// Buttons that copy the line they stand beside.
const said = document.createElement("p");
said.className = "for-ears";
said.setAttribute("role", "status");
document.body.append(said);

function done(button, word, text) {
  const before = word.textContent;
  button.classList.add("copyable__button--done");
  word.textContent = text;
  said.textContent = text;
  setTimeout(() => {
    button.classList.remove("copyable__button--done");
    word.textContent = before;
    said.textContent = "";
  }, 2000);
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  const word = button.querySelector("[data-copy-word]");
  try {
    await navigator.clipboard.writeText(code.textContent);
    done(button, word, "Copied");
  } catch {
    getSelection().selectAllChildren(code);
    done(button, word, "Selected");
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (!button.classList.contains("copyable__button--done")) copy(button);
  });
}
