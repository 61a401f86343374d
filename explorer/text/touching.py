"""What the controls of the later lessons say: descent, memory, cost, accuracy, configuration, heads, dropout, trainings, faults."""

TOUCHING: dict[str, tuple[str, str]] = {
    # used by several
    "touching.program": ("Program", "프로그램"),
    "touching.turn": ("step of training", "학습 단계"),
    "touching.loss": ("loss", "손실"),
    # descent
    "touching.rate": ("Learning rate", "학습률"),
    "touching.turns": ("Training steps", "학습 단계 수"),
    "touching.descended": (
        "After {steps} steps the loss is **{last}**; at first it was {first}.",
        "처음에 {first}이던 손실이 {steps}단계 뒤에는 **{last}**입니다.",
    ),
    "touching.descended_how": (
        "The chosen learning rate is drawn strong, the others faint. Calculated here from the recorded weights, in double precision.",
        "고른 학습률은 진하게, 나머지는 흐리게 그렸습니다. 기록된 가중치에서 시작해 배정밀도로 계산한 값입니다.",
    ),
    # memory
    "touching.step": ("Step", "단계"),
    "touching.held": (
        "After this step ({node}): **{saved}** saved for backward, **{gradients}** of gradients.",
        "이 단계({node}) 뒤: 역전파를 위해 저장한 것 **{saved}**, 기울기 **{gradients}**.",
    ),
    "touching.kept_by": ("What is kept, by the operation that keeps it: {names}", "보관하고 있는 연산과 텐서: {names}"),
    "touching.nothing_kept": ("Nothing is kept for backward here.", "여기서는 역전파를 위해 보관하는 것이 없습니다."),
    # modes
    "touching.inputs": ("Inputs n", "입력 수 n"),
    "touching.outputs": ("Outputs m", "출력 수 m"),
    "touching.forward_mode": ("forward mode", "순방향 모드"),
    "touching.reverse_mode": ("reverse mode", "역방향 모드"),
    "touching.operations": ("operations for the whole Jacobian", "야코비 행렬 전체를 구하는 연산 수"),
    "touching.passes": (
        "Passes for the whole Jacobian: forward mode **{forward}**, reverse mode **{reverse}**.",
        "야코비 행렬 전체를 얻으려면 순방향 모드는 **{forward}번**, 역방향 모드는 **{reverse}번** 지나가야 합니다.",
    ),
    "touching.reverse_wins": ("Reverse mode is {times} times cheaper.", "역방향 모드의 연산 수가 {times}분의 1입니다."),
    "touching.forward_wins": ("Forward mode is {times} times cheaper.", "순방향 모드의 연산 수가 {times}분의 1입니다."),
    "touching.same_cost": ("Both cost the same.", "둘의 연산 수가 같습니다."),
    "touching.counted": (
        "Counted, not timed: the matrix products of a network with {hidden} hidden cells, that torch carries out.",
        "시간을 잰 것이 아니라 연산을 센 것입니다. 은닉 셀이 {hidden}개인 신경망에서 torch가 실제로 하는 행렬 곱을 셌습니다.",
    ),
    # differences
    "touching.width": ("Step width h", "간격 h"),
    "touching.error": ("distance from autograd's gradient", "autograd 기울기와의 차이"),
    "touching.rounding": ("rounding of {dtype}", "{dtype}의 반올림"),
    "touching.error_at": (
        "With h = {width} the central difference for `{name}` differs from autograd's gradient by **{error}**.",
        "h = {width}일 때 `{name}`의 중앙 차분은 autograd의 기울기와 **{error}**만큼 다릅니다.",
    ),
    "touching.error_how": (
        "Recorded when this program was verified: the program ran in {dtype}, the differences in float64.",
        "이 프로그램을 검증할 때 기록한 값입니다. 프로그램은 {dtype}로, 차분은 float64로 계산했습니다.",
    ),
    # configuration
    "touching.preset": ("Begin with", "출발점"),
    "touching.tied": ("Output head shares the token table (tied weights)", "출력 헤드와 토큰 임베딩이 가중치를 공유"),
    "touching.in_all": (
        "**{total} parameters**, {times} times GPT-2 small. A head has {head} numbers of each token, the hidden dimension is {hidden}.",
        "**매개변수 {total}개**, GPT-2 small의 {times}배입니다. 헤드 하나가 토큰마다 수 {head}개를 맡고, 은닉 차원은 {hidden}입니다.",
    ),
    "touching.parameters": ("parameters", "매개변수 수"),
    "touching.part_tokens": ("token embedding", "토큰 임베딩"),
    "touching.part_positions": ("position embedding", "위치 임베딩"),
    "touching.part_attention": ("attention", "어텐션"),
    "touching.part_feed_forward": ("feed-forward", "피드포워드"),
    "touching.part_norms": ("norms", "정규화 층"),
    "touching.part_head": ("output head", "출력 헤드"),
    "touching.heads_of": ("{heads} heads of {head}", "헤드 {heads}개 × {head}"),
    "touching.blocks_of": ("× {layers} blocks", "블록 × {layers}"),
    "touching.sketch": (
        "Sketch of the model: {layers} blocks with {heads} heads each, {size} numbers for each token",
        "모델 그림: 헤드 {heads}개인 블록 {layers}개, 토큰마다 수 {size}개",
    ),
    # heads
    "touching.head": ("Head", "헤드"),
    "touching.looks": ("Letter that looks", "보는 글자"),
    "touching.looks_at": (
        "Letter {place}, **{word}**, looks most at letter {to}, **{other}**: weight {weight}.",
        "{place}번째 글자 **{word}** 자리에서는 {to}번째 글자 **{other}** 자리를 가장 많이 봅니다. 가중치는 {weight}입니다.",
    ),
    "touching.heads_table": ("Attention weights", "어텐션 가중치"),
    "touching.heads_how": (
        "Recorded values. Each row is a letter that looks, each column one that is looked at; each row sums to 1.",
        "기록된 값입니다. 행은 보는 글자, 열은 보이는 글자이고, 행마다 합은 1입니다.",
    ),
    # dropout
    "touching.dropout": ("Dropout on (as in training)", "드롭아웃 켜기 (학습할 때처럼)"),
    "touching.before": ("Activations before dropout: three samples, eight cells", "드롭아웃 전의 활성값: 표본 3개, 셀 8개"),
    "touching.after": ("Activations after it", "드롭아웃을 지난 활성값"),
    "touching.came_back": ("Gradient that comes back to the activations before it", "드롭아웃 전의 활성값으로 돌아온 기울기"),
    "touching.dropout_on": (
        "{zeros} of {count} activations are zero here, the others are doubled; the loss is {loss}. Recorded values.",
        "활성값 {count}개 가운데 {zeros}개가 0이고 나머지는 두 배입니다. 손실은 {loss}입니다. 기록된 값입니다.",
    ),
    "touching.dropout_off": (
        "{zeros} of {count} activations are zero: nothing is changed; the loss is {loss}. Recorded values.",
        "활성값 {count}개 가운데 0이 된 것은 {zeros}개입니다. 아무것도 바뀌지 않습니다. 손실은 {loss}입니다. 기록된 값입니다.",
    ),
    # two trainings
    "touching.train": ("Start pre-training", "사전 학습 시작"),
    "touching.train_again": ("Pre-train anew", "사전 학습 다시 하기"),
    "touching.tune": ("Fine-tune", "미세 조정 시작"),
    "touching.tune_later": ("Once the pre-training is done.", "사전 학습이 끝나면 시작할 수 있습니다."),
    "touching.beginning": ("The training begins …", "학습을 시작하고 있습니다 …"),
    "touching.pretraining": ("Pre-training", "사전 학습"),
    "touching.finetuning": ("Fine-tuning", "미세 조정"),
    "touching.validation_loss": ("validation loss", "검증 손실"),
    "touching.stands": ("**{name}**: step {step} of {steps}, loss {loss}", "**{name}**: {steps}단계 중 {step}단계, 손실 {loss}"),
    "touching.wrote": ("Written after step {step}:", "{step}단계 뒤에 쓴 글:"),
    "touching.to_train": ("Open on the page Train", "학습 페이지에서 열기"),
    # faults
    "touching.patient": ("Broken program", "고장 난 프로그램"),
    "touching.diagnose": ("Show the findings", "진단 보기"),
    "touching.remedy": ("**Remedy:** {remedy}", "**고치는 방법:** {remedy}"),
    "touching.culprit": ("Line {line}:", "{line}번째 줄:"),
    "touching.to_node": ("Show it in the graph (step {step})", "그래프에서 보기 ({step}단계)"),
}
