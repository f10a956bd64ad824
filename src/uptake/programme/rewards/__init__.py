"""What points are redeemed for: rewards, redemptions, pools of codes; special points and the budgets that pay them."""
