"use strict";
(() => {
  const root = document.documentElement;
  const title = document.querySelector("title");
  const languages = ["en", "zh"];
  const browser = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
  const preferred = root.dataset.opens || browser;

  // The address after # is LANGUAGE, SECTION or LANGUAGE/SECTION: a link that is sent keeps both.
  function read() {
    const parts = decodeURIComponent(location.hash.slice(1)).split("/");
    const language = languages.includes(parts[0]) ? parts.shift() : null;
    return { language, section: parts.join("/") };
  }

  function speak(language) {
    root.lang = language;
    document.title = title.dataset[language];
    for (const link of document.querySelectorAll("a.switch")) {
      if (link.hreflang === language) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  function follow() {
    const { language, section } = read();
    if (language) speak(language);
    if (!section) return;
    if (!language) {
      location.replace("#" + root.lang + "/" + section);
      return;
    }
    const target = document.getElementById(section);
    if (target) target.scrollIntoView();
  }

  speak(read().language || preferred);
  window.addEventListener("hashchange", follow);
  follow();

  const command = document.getElementById("command");
  const button = document.getElementById("copy");
  const [idle, done] = [button.querySelector(".idle"), button.querySelector(".done")];
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      // No clipboard for a page from a file in some browsers: the old way still works there.
      getSelection().selectAllChildren(command);
      document.execCommand("copy");
    }
    idle.hidden = true;
    done.hidden = false;
    setTimeout(() => {
      idle.hidden = false;
      done.hidden = true;
    }, 2000);
  });

  const filter = document.getElementById("filter");
  if (filter) {
    const rows = [...document.querySelectorAll(".differences tr.row")];
    const marks = [...document.querySelectorAll(".filter .choice")];
    const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const apply = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = new Set(marks.filter((mark) => mark.checked).map((mark) => mark.value));
      let shown = 0;
      for (const row of rows) {
        const fits = words.every((word) => text.get(row).includes(word));
        row.hidden = !(fits && chosen.has(row.dataset.verdict));
        shown += row.hidden ? 0 : 1;
      }
      for (const body of document.querySelectorAll(".differences tbody")) {
        body.hidden = !body.querySelector("tr.row:not([hidden])");
      }
      document.getElementById("shown").textContent = String(shown);
      document.getElementById("nothing").hidden = shown > 0;
    };
    for (const input of [filter, ...marks]) input.addEventListener("input", apply);
    apply(); // a browser that comes back to the page has filled the field again
  }

  // On paper nothing can be opened.
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
