/* The search box as a combobox: htmx fills the list; it is opened and chosen from here.
   The pattern is that of the ARIA Authoring Practices, "editable combobox with list". */
"use strict";

(() => {
  const input = document.querySelector("input[role=combobox]");
  const list = document.getElementById("completions");
  if (!input || !list) return;
  // An answer may come after the reader has chosen, left or pressed Escape: it opens nothing.
  let wanted = false;
  let at = -1;
  let reached = "";

  const options = () => Array.from(list.querySelectorAll("[role=option]"));

  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) mark(-1);
  };

  const mark = (index) => {
    at = index;
    options().forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    const marked = options()[index];
    if (marked) {
      input.setAttribute("aria-activedescendant", marked.id);
      marked.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  const close = () => {
    wanted = false;
    reached = "";
    show(false);
  };

  const choose = (option) => {
    input.value = option.dataset.text;
    close();
    input.form.requestSubmit();
  };

  new MutationObserver(() => {
    // A late answer must not take away the title that the reader stands on.
    const again = options().findIndex((option) => option.dataset.text === reached);
    show(wanted && options().length > 0 && document.activeElement === input);
    mark(list.hidden ? -1 : again);
  }).observe(list, { childList: true });

  input.addEventListener("input", () => {
    wanted = input.value.trim().length > 1;
    if (!wanted) close();
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!count) return;
      event.preventDefault();
      if (list.hidden) {
        wanted = true;
        show(true);
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      // Before the first and after the last stands what was typed.
      mark(((at + 1 + step + count + 1) % (count + 1)) - 1);
      reached = options()[at]?.dataset.text ?? "";
    } else if (event.key === "Enter" && !list.hidden && at >= 0) {
      event.preventDefault();
      choose(options()[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Tab") {
      close();
    }
  });

  // A press on the list must not take the focus from the box before the click is there.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);

  // What was typed before this script ran made events that nothing here heard. htmx may have: then
  // a second event for the same text asks nothing, and the list may be there.
  const catchUp = () => {
    if (input.value === input.defaultValue) return;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    show(wanted && options().length > 0 && document.activeElement === input);
  };
  // htmx starts in a timer of its own, which was set before this one.
  setTimeout(catchUp);
  // A page that was kept in memory comes back as it was left, with its list closed.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) catchUp();
  });
})();

(() => {
  /* The address holds only the fields that differ from their default. */
  const form = document.querySelector("form.ask");
  if (!form) return;
  form.addEventListener("formdata", (event) => {
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      if (field.name !== "q" && (field.value === "" || field.value === field.dataset.default)) {
        event.formData.delete(field.name);
      }
    }
  });
})();

(() => {
  /* After the list was replaced, the same button gets the focus again. */
  const list = () => document.getElementById("papers");
  let last = "";
  document.addEventListener("focusin", (event) => {
    last = list()?.contains(event.target) ? event.target.id || "papers" : "";
  });
  new MutationObserver(() => {
    if (!last || document.activeElement !== document.body) return;
    (document.getElementById(last) || list())?.focus({ preventScroll: true });
  }).observe(document.getElementById("main"), { childList: true });
})();
