def late(facts):
    return facts["judge_P_G"] * 2
