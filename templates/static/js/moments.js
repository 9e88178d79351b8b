// Days that are not long ago, in words; the exact time stays at hand.
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const steps = [["minute", 60], ["hour", 3600], ["day", 86400], ["week", 604800]];
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

for (const time of document.querySelectorAll("time[datetime][title]")) {
  const at = new Date(time.dateTime);
  const seconds = (Date.now() - at) / 1000;
  if (Number.isNaN(seconds)) continue;
  time.title = exact.format(at);
  if (seconds < 0 || seconds >= 5 * 604800) continue;
  const [unit, length] = steps.findLast(([, one]) => seconds >= one) ?? ["minute", 60];
  time.textContent = seconds < 60 ? "just now" : words.format(-Math.floor(seconds / length), unit);
}
