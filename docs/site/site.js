// What scrolls sideways can be reached by keyboard. The theme wraps tables and blocks after the page is there.
const reachable = () => {
  // The theme makes a navigation of each block's button; they need names of their own.
  document.querySelectorAll(".md-code__nav").forEach((nav, index) => {
    nav.setAttribute("aria-label", `Code ${index + 1}`);
  });
  for (const block of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    else block.removeAttribute("tabindex");
  }
};
addEventListener("load", () => setTimeout(reachable, 100));
addEventListener("resize", reachable);

// Plays the recording of `quickstart` line by line, at the times when the program printed them. Without this
// script the page has the whole text, and with it the text is there until somebody presses the button.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".recording__bar button");
  if (!button) return;
  const lines = [...button.closest(".recording").querySelectorAll("[data-ms]")];
  const screen = lines[0]?.closest("pre");
  // The program takes a second: slower, a person can follow.
  const slow = 6;
  button.disabled = true;
  for (const line of lines) line.classList.add("later");
  lines.forEach((line, index) => {
    setTimeout(() => {
      line.classList.remove("later");
      screen.scrollTop = Math.max(0, line.offsetTop - screen.clientHeight + 40);
      if (index === lines.length - 1) button.disabled = false;
    }, Number(line.dataset.ms) * slow + index * 40);
  });
});
