"""What stands around an evaluation: the self-test of its method, who else may read it, its costs, when it is sent."""
