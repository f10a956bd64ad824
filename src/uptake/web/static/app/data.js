// The upload form: a file dropped on the page goes into its field, and the bar tells how much has arrived.
(function () {
  "use strict";
  const form = document.getElementById("upload");
  if (!form) return;
  const box = form.querySelector(".u-drop");
  const field = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  for (const name of ["dragover", "dragleave", "drop"])
    box.addEventListener(name, (event) => {
      event.preventDefault();
      box.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) field.files = event.dataTransfer.files;
    });
  form.addEventListener("htmx:xhr:progress", (event) => {
    if (!event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  });
  form.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) bar.hidden = true; });
})();
