// Runs once for every gr.HTML of the page. Gradio gives `element` (its root), `trigger(event, data)`, `props` and
// `watch`. What a button does stands in its data- attributes, see page/render.py.

const send = (target, data = {}) => trigger(target.dataset.on, { ...target.dataset, ...data });

const say = (button, text) => {
  const before = button.textContent;
  button.textContent = text;
  setTimeout(() => (button.textContent = before), 1500);
};

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Plain HTTP beyond this machine has no clipboard API, and a browser may refuse it.
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = button.dataset.copy;
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(button, "Copied");
}

function save(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([button.dataset.copy], { type: "text/markdown" }));
  link.download = button.dataset.save;
  link.click();
  URL.revokeObjectURL(link.href);
}

// The first click asks, the second one does it.
function confirmed(button) {
  if (button.dataset.sure) return true;
  const label = button.textContent;
  button.dataset.sure = "yes";
  button.textContent = button.dataset.confirm;
  button.addEventListener("blur", () => { delete button.dataset.sure; button.textContent = label; }, { once: true });
  return false;
}

const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

function showMark(mark) {
  element.querySelectorAll("mark.current").forEach((other) => other.classList.remove("current"));
  mark.classList.add("current");
  mark.scrollIntoView({ block: "center" });
  mark.focus({ preventScroll: true });
}

function close() {
  props.value = "";
  document.querySelector(".opened")?.focus();
}

function opened(button) {
  document.querySelectorAll(".opened").forEach((other) => other.classList.remove("opened"));
  button.classList.add("opened");
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.type === "submit") return;
  const data = button.dataset;
  if (data.save) save(button);
  else if (data.copy) copy(button);
  else if (data.jump) showMark(element.querySelector(`mark[data-numbers~="${data.jump}"]`));
  else if (data.confirm && !confirmed(button)) return;
  else if (button.classList.contains("close")) close();
  else if (data.on) {
    if (data.on === "select") opened(button);
    send(button);
  }
});

element.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  send(event.target, Object.fromEntries(new FormData(event.target)));
});

element.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && element.querySelector(".article")) close();
});

// The newest question goes to the top of the view when it is asked, and again once its answer has its full height.
let turns = 0;
let working = false;
function followTurns() {
  const sections = element.querySelectorAll(".turn");
  const wasWorking = working;
  working = element.querySelector(".working") !== null;
  if (sections.length > turns || (wasWorking && !working)) {
    sections[sections.length - 1]?.scrollIntoView({ block: "start", behavior: calm });
  }
  turns = sections.length;
}

watch("value", () => {
  followTurns();
  const article = element.querySelector(".article");
  if (!article) return;
  const mark = article.querySelector("mark.current");
  if (mark) showMark(mark);
  else article.querySelector("h2").focus();
});
