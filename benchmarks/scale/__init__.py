"""Whether one store suffices for a thousand pods: what each call costs it, and where that ends."""
