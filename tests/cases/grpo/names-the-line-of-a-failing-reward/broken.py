LIMIT = max()


def late(facts):
    return facts["lengths_P_G"] < LIMIT
