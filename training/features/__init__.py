"""What features of networks stand for, and how to find models of things in pictures by them."""
