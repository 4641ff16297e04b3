"""The past as the console sees it (C-15): sessions, their journal folded again, and a play head."""
