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
    // Some of its fields stand elsewhere on the page.
    for (const field of form.elements) {
      if (field.name && field.name !== "q" && (field.value === "" || field.value === field.dataset.default)) {
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

(() => {
  /* Single keys. They act on the paper that has the focus, else on the first one. */
  const STORED = "swimmer-keys";
  const dialog = document.getElementById("keys");
  const shown = document.getElementById("show-keys");
  const box = document.getElementById("q");
  const wanted = document.getElementById("keys-on");
  // A browser may be told to keep nothing: the keys then work until the page is left.
  const stored = () => {
    try {
      return localStorage.getItem(STORED);
    } catch {
      return null;
    }
  };
  wanted.checked = stored() !== "off";
  wanted.addEventListener("change", () => {
    try {
      localStorage.setItem(STORED, wanted.checked ? "on" : "off");
    } catch {
      // Nothing is kept.
    }
  });
  shown.hidden = false;
  shown.addEventListener("click", () => dialog.showModal());

  const hits = () => Array.from(document.querySelectorAll("ol.hits > li.hit"));
  const current = () => document.activeElement?.closest("ol.hits > li.hit");

  const step = (by) => {
    const all = hits();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    const link = next.querySelector("h3 a, a, button");
    link?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable], dialog") || dialog.open) return;
    if (!wanted.checked) return;
    const key = event.key;
    if (key === "/" && box) {
      box.focus();
      box.select();
    } else if (key === "?") {
      dialog.showModal();
    } else if (key === "j" || key === "k") {
      step(key === "j" ? 1 : -1);
    } else if (["o", "s", "m", "l"].includes(key)) {
      const hit = current() ?? (document.querySelector("article.paper") ? null : hits()[0]);
      const place = hit ?? document.querySelector("article.paper");
      const control = place?.querySelector(`[data-key="${key}"]`);
      if (!control) return;
      control.click();
    } else {
      return;
    }
    event.preventDefault();
  });
})();

(() => {
  /* One menu is open at a time; a click elsewhere or Escape closes it. */
  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();

(() => {
  /* While the answer to a form is awaited, the top of the page says so. */
  const root = document.documentElement;
  document.getElementById("ask")?.addEventListener("submit", () => root.classList.add("busy"));
  window.addEventListener("pageshow", () => root.classList.remove("busy"));
})();

(() => {
  /* Text is copied by a button; a browser that refuses selects it, to be copied by hand. */
  const said = document.getElementById("said");
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        said.textContent = "Copied";
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        said.textContent = "Selected: copy it with the keyboard";
      }
    });
  }
})();

(() => {
  /* Files: dropped anywhere, chosen by the button beside the box, or a draft pasted into the box. */
  const DRAFT_LENGTH = 1000;
  const BIBTEX = /^\s{0,80}@\s{0,9}[A-Za-z]{2,30}\s{0,9}[{(]/m;
  const dialog = document.getElementById("file");
  const forms = Array.from(document.querySelectorAll("form.file-form"));
  if (!forms.length) return;

  const parts = (form) => ({
    files: form.querySelector("input[type=file]"),
    text: form.querySelector("textarea"),
    wrong: form.querySelector(".wrong"),
    uses: Array.from(form.querySelectorAll("button[name=to]")),
  });
  const ending = (name) => /\.[A-Za-z]{1,9}$/.exec(name)?.[0].toLowerCase() ?? "";

  const problem = (form) => {
    const files = Array.from(parts(form).files.files);
    const limit = Number(form.dataset.limit);
    const accepted = form.dataset.accepted.split(",");
    const unknown = files.find((file) => !accepted.includes(ending(file.name)));
    if (unknown) return `${unknown.name} is no kind of file that is read here: give a draft as .pdf, .tex or .md, or a list of papers such as .bib.`;
    if (files.reduce((sum, file) => sum + file.size, 0) > limit) return `This is larger than ${limit / 1048576} MB. Give a smaller file: the .bib file, or the draft without its figures.`;
    return "";
  };

  const hasDraft = (form) => {
    const { files, text } = parts(form);
    const drafts = form.dataset.drafts.split(",");
    if (files.files.length) return Array.from(files.files).some((file) => drafts.includes(ending(file.name)));
    return text.value.trim() !== "" && !BIBTEX.test(text.value);
  };

  // A button that the file is not for is not offered.
  const update = (form) => {
    const { files, text, wrong, uses } = parts(form);
    const said = problem(form);
    wrong.textContent = said;
    wrong.hidden = !said;
    const given = files.files.length > 0 || text.value.trim() !== "";
    for (const button of uses) {
      if (button.value === "near" && uses.length > 1) button.hidden = given && !hasDraft(form);
    }
    return !said;
  };

  for (const form of forms) {
    const { files, text } = parts(form);
    files.addEventListener("change", () => update(form));
    text.addEventListener("input", () => update(form));
    form.addEventListener("submit", (event) => {
      if (!update(form)) event.preventDefault();
      else document.documentElement.classList.add("busy");
    });
  }
  if (!dialog) return;

  const form = dialog.querySelector("form.file-form");
  const own = parts(form);
  const take = () => {
    const store = document.getElementById("store");
    if (store) form.elements.store.value = store.value;
    const near = own.uses.find((button) => button.value === "near");
    if (update(form) && hasDraft(form)) form.requestSubmit(near);
    else if (!dialog.open) dialog.showModal();
  };
  own.files.addEventListener("change", () => {
    if (!dialog.open) take();
  });
  document.getElementById("attach")?.addEventListener("click", (event) => {
    event.preventDefault();
    own.text.value = "";
    own.files.value = "";
    own.files.click();
  });
  document.getElementById("q")?.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length < DRAFT_LENGTH && !BIBTEX.test(text)) return;
    event.preventDefault();
    own.files.value = "";
    own.text.value = text;
    take();
  });

  const over = document.getElementById("drop");
  const carriesFiles = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  let depth = 0;
  const show = (by) => {
    depth = by === null ? 0 : depth + by;
    over.hidden = depth < 1;
  };
  document.addEventListener("dragenter", (event) => carriesFiles(event) && show(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    show(null);
    // A form that takes files takes what is dropped onto its own field.
    if (!carriesFiles(event) || event.target.closest?.("input[type=file]")) return;
    event.preventDefault();
    own.text.value = "";
    own.files.files = event.dataTransfer.files;
    take();
  });
  window.addEventListener("pageshow", () => show(null));
})();
