"""Payment providers: a sandbox of our own, Stripe and YooKassa."""
