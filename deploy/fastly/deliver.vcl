# Snippet of type "deliver". Clients are told what the edge did (RFC 9211), and nothing that is the edge's own.

if (!req.http.Fastly-FF) {
  set resp.http.Cache-Status = if(resp.http.Cache-Status, resp.http.Cache-Status ", ", "")
    "cheeseshop-edge; " if(fastly_info.state ~ "^HIT", "hit", if(fastly_info.state ~ "^PASS", "fwd=bypass", "fwd=miss"));
  unset resp.http.Surrogate-Control;
  unset resp.http.Surrogate-Key;
}
