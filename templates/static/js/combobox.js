// Boxes that look for projects complete names as one types: an editable combobox with a listbox, in which the
// focus stays in the field (WAI-ARIA 1.2). Without a choice the form is sent as ever.
const PAUSE = 120;
const MOST_KEPT = 100;
const kept = new Map();

async function suggestions(words, signal) {
  if (kept.has(words)) return kept.get(words);
  const url = `/api/search/suggest?${new URLSearchParams({ q: words })}`;
  const reply = await fetch(url, { signal, headers: { Accept: "application/json" } });
  if (!reply.ok) return [];
  const found = (await reply.json()).suggestions;
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value);
  kept.set(words, found);
  return found;
}

function element(name, className, ...inside) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...inside);
  return made;
}

function marked(name, words) {
  const at = name.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return [name];
  const end = at + words.length;
  return [name.slice(0, at), element("mark", "", name.slice(at, end)), name.slice(end)];
}

function enhance(field, number) {
  const list = element("ul", "combobox__list");
  const said = element("p", "for-ears");
  let shown = [];
  let chosen = -1;
  let timer = 0;
  let asking = new AbortController();

  list.id = `suggestions-${number}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Projects");
  said.setAttribute("role", "status");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", list.id);
  field.form.append(list, said);

  const words = () => field.value.trim();

  function choose(place) {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = place;
    const option = list.children[chosen];
    if (!option) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function close() {
    clearTimeout(timer);
    asking.abort();
    choose(-1);
    shown = [];
    list.hidden = true;
    list.replaceChildren();
    said.textContent = "";
    field.setAttribute("aria-expanded", "false");
  }

  function option({ name, summary }, place) {
    const made = element("li", "combobox__one", element("span", "combobox__name", ...marked(name, words())));
    if (summary) made.append(" ", element("span", "combobox__summary", summary));
    made.id = `${list.id}-${place}`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", "false");
    return made;
  }

  function show(found) {
    close();
    if (!found.length || document.activeElement !== field) return;
    shown = found;
    list.replaceChildren(...found.map(option));
    list.hidden = false;
    list.scrollTop = 0;
    field.setAttribute("aria-expanded", "true");
    said.textContent = found.length === 1 ? "1 suggestion" : `${found.length} suggestions`;
  }

  async function ask() {
    const asked = words();
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const found = asked ? await suggestions(asked, signal) : [];
      if (!signal.aborted && asked === words()) show(found);
    } catch {
      if (!signal.aborted) close();
    }
  }

  function go(place, aside) {
    const url = `/project/${encodeURIComponent(shown[place].name)}/`;
    if (aside) {
      open(url, "_blank", "noopener");
      return;
    }
    close();
    location.assign(url);
  }

  const moves = {
    ArrowDown: () => (chosen + 1 < shown.length ? chosen + 1 : -1),
    ArrowUp: () => (chosen < 0 ? shown.length - 1 : chosen - 1),
    Home: () => (chosen < 0 ? null : 0),
    End: () => (chosen < 0 ? null : shown.length - 1),
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    asking.abort();
    choose(-1);
    if (words()) timer = setTimeout(ask, PAUSE);
    else close();
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const isOpen = shown.length > 0;
    if (isOpen && event.key in moves) {
      const place = moves[event.key]();
      if (place === null) return;
      event.preventDefault();
      choose(place);
    } else if (!isOpen && event.key === "ArrowDown" && words()) {
      event.preventDefault();
      ask();
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      go(chosen, false);
    }
  });

  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const place = [...list.children].indexOf(event.target.closest("[role=option]"));
    if (place >= 0) go(place, event.ctrlKey || event.metaKey);
  });
  field.addEventListener("blur", close);
  field.form.addEventListener("submit", close);
  addEventListener("pagehide", close);
}

document.querySelectorAll("[data-search]").forEach(enhance);
