// The server's time: in `try` it may stand elsewhere than the browser's, and it can be moved.

let drift = 0;
let home;

/** Epoch milliseconds from a number or an RFC 3339 text; null for anything else. */
export function moment(value) {
  const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(at) ? at : null;
}

/** Takes the server's word for what time it is. */
export function setNow(value) {
  const at = moment(value);
  if (at !== null) drift = at - Date.now();
}

/** The zone in which times are told; the viewer's own unless it is set. */
export function setZone(zone) {
  home = zone;
}

export function now() {
  return Date.now() + drift;
}

/** "now", "4 min ago", "in 2 h", and further away the day and hour. */
export function ago(at) {
  const minutes = Math.round((now() - at) / 60000);
  if (minutes === 0) return 'now';
  const size = Math.abs(minutes);
  const span = size < 60 ? `${size} min` : size < 24 * 60 ? `${Math.round(size / 60)} h` : null;
  if (span === null) return dayAndHour(at);
  return minutes > 0 ? `${span} ago` : `in ${span}`;
}

/** "Fri 20 Nov 16:30". */
export function dayAndHour(at, zone = home) {
  const parts = shown(
    at,
    { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
    zone,
  );
  return parts.replace(',', '').replace(' at ', ' ');
}

/** "16:30". */
export function hour(at, zone = home) {
  return shown(at, { hour: '2-digit', minute: '2-digit' }, zone);
}

/** "Friday 20 November". */
export function day(at) {
  return shown(at, { weekday: 'long', day: 'numeric', month: 'long' }, home).replace(',', '');
}

/** Everything that there is to say about a moment, for hovering. */
export function full(at) {
  const zone = home ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const options = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit' };
  const text = shown(at, { ...options, minute: '2-digit', second: '2-digit' }, zone).replace(',', '');
  return `${text} (${zone}), ${ago(at)}`;
}

/** Seconds from now until the next `HH:MM` on the clocks of `zone`. */
export function secondsUntil(text, zone) {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (!match) return null;
  const wanted = Number(match[1]) * 60 + Number(match[2]);
  const wall = (at) => {
    const [hours, minutes] = hour(at, zone).split(':').map(Number);
    return hours * 60 + minutes;
  };
  const start = now();
  const step = (wanted - wall(start) + 1440) % 1440 || 1440;
  let target = Math.floor(start / 60000) * 60000 + step * 60000;
  // A change of the clocks in between moves the wall by up to an hour.
  const off = ((wanted - wall(target) + 720 + 1440) % 1440) - 720;
  target += off * 60000;
  return Math.max(1, Math.round((target - start) / 1000));
}

function shown(at, options, zone) {
  try {
    return new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', timeZone: zone }).format(at);
  } catch {
    return new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23' }).format(at);
  }
}
