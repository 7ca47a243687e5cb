"""What a module means: scopes, what names stand for, what kinds of things they are."""
