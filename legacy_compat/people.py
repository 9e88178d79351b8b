"""Pages for people with an account, as they are called today: many old addresses lead there."""

from __future__ import annotations

SIGN_IN = "/account/sign-in/"
REGISTER = "/account/register/"
RESET = "/account/reset/"
ACCOUNT = "/account/"
PROJECTS = "/manage/"
