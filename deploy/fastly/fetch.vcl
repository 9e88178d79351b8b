# Snippet of type "fetch". What fails is not kept, and what there was before goes on being served.

if (beresp.status >= 500 && beresp.status < 600) {
  if (stale.exists) {
    return(deliver_stale);
  }
  set beresp.cacheable = false;
  set beresp.ttl = 1s;
  return(deliver);
}
if (beresp.http.Content-Type ~ "^text/event-stream") {
  set beresp.do_stream = true;
  return(pass);
}
if (beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?i)(?:^|[ ,])(?:private|no-store)") {
  return(pass);
}
# What has no tag cannot be purged; what is addressed by its content has no need of it.
if (!beresp.http.Surrogate-Key && beresp.ttl > 60s && beresp.http.Cache-Control !~ "(?:^|[ ,])immutable") {
  set beresp.ttl = 60s;
}
