# Snippet of type "error". The index cannot be reached.

if (obj.status >= 500 && obj.status < 600 && stale.exists) {
  return(deliver_stale);
}
