// A page that waits for what is done elsewhere looks now and then, while it is seen, whether it leads on.
if (document.querySelector("[data-wait]")) {
  let left = 120;
  const look = async () => {
    if (document.hidden || left-- < 1) return;
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") location.replace(location.href);
  };
  setInterval(look, 10_000);
  document.addEventListener("visibilitychange", look);
}
