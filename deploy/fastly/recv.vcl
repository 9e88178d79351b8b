# Snippet of type "recv". One page, one URL, one of three representations; the same rules as in our Varnish VCL.

# What was purged is asked for anew before anybody reads it, also at the shield.
set req.max_stale_while_revalidate = 0s;

if (req.method != "GET" && req.method != "HEAD") {
  return(pass);
}
if (req.http.Authorization || req.http.Cookie) {
  return(pass);
}
if (req.url.path == "/api/changes/stream" || (req.url.path == "/api/changes" && req.url.qs ~ "(?:^|&)wait=")) {
  # What goes on, or waits, is for one client alone.
  return(pass);
}
if (req.url.path ~ "^/(api|search|account|accounts|admin|cgi-bin|legacy|locale|manage|pypi)(/|$)"
    || req.url.qs ~ "(?i)(^|&)(:|%3a)action=") {
  set req.url = querystring.sort(req.url);
} else if (req.url.path ~ "^/simple(/|$)") {
  if (req.url.qs ~ "[%;]" && req.url.qs !~ "^(?:[^;%]*&)?format=(?:[a-z0-9.+/-]|%2[bBfF])+(?:&[^;%]*)?$") {
    return(pass);
  }
  set req.url = querystring.filter_except(req.url, "format");
  if (!req.http.Accept || req.http.Accept !~ "(?i)(?:text|application)/"
      || req.http.Accept ~ "(?i)(?:^|,)[ \t]*text/html[ \t]*(?:,|$)") {
    set req.http.Accept = "text/html";
  } else if (req.http.Accept ~ "(?i)^application/vnd\.pypi\.simple\.(?:v1|latest)\+json(?:[ \t]*,[ \t]*[a-z0-9*]+/[a-z0-9.+*-]+[ \t]*;[ \t]*q=0(?:\.[0-9]{0,3})?)*$") {
    set req.http.Accept = "application/vnd.pypi.simple.v1+json";
  } else if (req.http.Accept ~ "(?i)^application/vnd\.pypi\.simple\.(?:v1|latest)\+html(?:[ \t]*,[ \t]*[a-z0-9*]+/[a-z0-9.+*-]+[ \t]*;[ \t]*q=0(?:\.[0-9]{0,3})?)*$") {
    set req.http.Accept = "application/vnd.pypi.simple.v1+html";
  } else {
    return(pass);
  }
} else if (req.url.path ~ "^/(project|user)/") {
  set req.url = querystring.filter_except(req.url, "page");
} else {
  set req.url = req.url.path;
}
