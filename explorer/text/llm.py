"""The page on which a GPT's configuration is turned, and what it comes to."""

LLM: dict[str, tuple[str, str]] = {
    "page.llm": ("LLM", "LLM"),
    "llm.lead": (
        (
            "Turn the numbers of a GPT's configuration and see what each changes: parameters, memory, operations, speed and the graph. "
            "Nothing is built: the counts are arithmetic, exact for the model that ships with this program."
        ),
        (
            "GPT 설정값을 바꾸면서 매개변수, 메모리, 연산량, 속도, 그래프가 어떻게 달라지는지 살펴보세요. 모델을 실제로 만들지 않고 "
            "계산만 하며, 매개변수 개수는 함께 제공되는 모델과 정확히 일치합니다."
        ),
    ),
    # choosing
    "llm.preset": ("Start from", "기준 모델"),
    "llm.preset.small": ("GPT-2 small", "GPT-2 small"),
    "llm.preset.medium": ("medium", "medium"),
    "llm.preset.large": ("large", "large"),
    "llm.preset.xl": ("XL", "XL"),
    "llm.preset_name.small": ("GPT-2 small", "GPT-2 small"),
    "llm.preset_name.medium": ("GPT-2 medium", "GPT-2 medium"),
    "llm.preset_name.large": ("GPT-2 large", "GPT-2 large"),
    "llm.preset_name.xl": ("GPT-2 XL", "GPT-2 XL"),
    "llm.undo": ("Undo", "실행 취소"),
    "llm.take": ("Take home", "내보내기"),
    "llm.take_json": ("Configuration as JSON", "설정(JSON)"),
    "llm.take_python": ("Program in Python", "프로그램(Python)"),
    "llm.take_csv": ("Table as CSV", "표(CSV)"),
    "llm.take_help": (
        (
            "The program holds the configuration as a dictionary and one training step to record: `autograd-explorer trace my_gpt.py "
            "--device fake`."
        ),
        "프로그램에는 설정 딕셔너리와 기록할 학습 한 단계가 들어 있습니다. `autograd-explorer trace my_gpt.py --device fake`로 실행하세요.",
    ),
    "llm.model": ("Model", "모델"),
    "llm.training": ("Training", "학습"),
    "llm.changed": ("Changed since {preset}: {changes}", "{preset}에서 바뀐 값: {changes}"),
    "llm.unchanged": ("Exactly {preset}.", "{preset} 설정 그대로입니다."),
    "llm.change": ("{name} {before} → {after}", "{name} {before} → {after}"),
    "llm.still": (
        "The numbers below are those of the last configuration that can be.",
        "아래 값은 마지막으로 올바르게 설정했을 때의 결과입니다.",
    ),
    "llm.use": ("{name} = {value}", "{name} = {value}"),
    "llm.yes": ("yes", "예"),
    "llm.no": ("no", "아니요"),
    "llm.name.vocab_size": ("Vocabulary · vocab_size", "어휘 크기 · vocab_size"),
    "llm.help.vocab_size": (
        "Tokens that the model knows. Each has a row in the embedding and a score in the output.",
        "모델이 아는 토큰의 개수입니다. 토큰마다 임베딩에 행 하나, 출력에 점수 하나가 있습니다.",
    ),
    "llm.name.context_length": ("Context length · context_length", "컨텍스트 길이 · context_length"),
    "llm.help.context_length": (
        "Tokens it reads at most at once. Costs few parameters; scores of attention grow with its square.",
        "한 번에 읽을 수 있는 최대 토큰 수입니다. 매개변수는 거의 늘지 않지만 어텐션 점수는 제곱으로 늘어납니다.",
    ),
    "llm.name.emb_dim": ("Embedding dimension · emb_dim", "임베딩 차원 · emb_dim"),
    "llm.help.emb_dim": (
        "Numbers that stand for one token: hundreds to thousands. Parameters of a block grow with its square.",
        "토큰 하나를 나타내는 수의 개수로, 보통 수백에서 수천입니다. 블록의 매개변수는 이 값의 제곱으로 늘어납니다.",
    ),
    "llm.name.n_heads": ("Attention heads · n_heads", "어텐션 헤드 · n_heads"),
    "llm.help.n_heads": (
        "Parts that look at the text in their own way, each at {head_dim} of the {emb_dim} numbers. Changes no parameter count.",
        "글을 저마다 다르게 살펴보는 단위입니다. 헤드 하나가 {emb_dim}개 중 {head_dim}개를 맡으며, 매개변수 개수는 그대로입니다.",
    ),
    "llm.name.n_layers": ("Layers · n_layers", "층 · n_layers"),
    "llm.help.n_layers": (
        "Equal blocks one after the other. One more adds {block} parameters.",
        "차례로 이어지는 같은 구조의 블록 수입니다. 하나 늘릴 때마다 매개변수가 {block}개 늘어납니다.",
    ),
    "llm.name.drop_rate": ("Dropout · drop_rate", "드롭아웃 · drop_rate"),
    "llm.help.drop_rate": (
        "Share of activations set to 0 at random in training; the training data stays whole. No parameters, but masks in memory.",
        "학습 중 무작위로 0이 되는 활성값의 비율입니다. 학습 데이터는 건드리지 않습니다. 매개변수는 없지만 마스크가 메모리를 씁니다.",
    ),
    "llm.name.ff_multiple": ("Hidden width · ff_multiple", "은닉 차원 배수 · ff_multiple"),
    "llm.help.ff_multiple": (
        "The feed-forward part is this many times wider inside: hidden dimension {hidden_dim}.",
        "피드포워드 내부가 임베딩보다 몇 배 넓은지를 나타냅니다. 지금 은닉 차원은 {hidden_dim}입니다.",
    ),
    "llm.name.qkv_bias": ("Bias · qkv_bias", "편향 · qkv_bias"),
    "llm.help.qkv_bias": (
        "Numbers added to queries, keys and values: {bias} parameters in all. OpenAI's GPT-2 has them.",
        "쿼리, 키, 값에 더하는 수로, 모두 합쳐 매개변수 {bias}개입니다. OpenAI의 GPT-2에는 있습니다.",
    ),
    "llm.name.tied": ("Tied output head · tied", "출력층 가중치 공유 · tied"),
    "llm.help.tied": (
        "The output head reads the token embedding instead of {head} weights of its own, as GPT-2 does.",
        "출력층이 따로 가중치 {head}개를 두지 않고 토큰 임베딩을 함께 씁니다. GPT-2가 이렇게 합니다.",
    ),
    "llm.name.batch": ("Batch · texts at once", "배치 크기 · 한 번에 처리할 글"),
    "llm.help.batch": (
        "Texts in one step, each as long as the context. Activations and operations grow with it; weights do not.",
        "한 단계에 처리하는 글의 수이며, 각각 컨텍스트 길이만큼입니다. 활성값과 연산량은 비례해 늘고 가중치는 그대로입니다.",
    ),
    "llm.name.optimizer": ("Optimiser", "옵티마이저"),
    "llm.help.optimizer": (
        "How gradient descent takes its steps. Adam keeps two numbers of every parameter, momentum one, plain SGD none.",
        (
            "경사 하강법으로 가중치를 갱신하는 방식입니다. Adam은 매개변수마다 수 두 개, 모멘텀은 하나를 보관하고 기본 SGD는 보관하지 "
            "않습니다."
        ),
    ),
    "llm.optimizer.sgd": ("SGD", "SGD"),
    "llm.optimizer.sgd_momentum": ("SGD with momentum", "모멘텀 SGD"),
    "llm.optimizer.adam": ("Adam", "Adam"),
    "llm.name.precision": ("Data type", "자료형"),
    "llm.help.precision": (
        "Bytes of a number: 4 in float32, 2 in bfloat16. Mixed: 2 for weights and gradients, and a float32 copy that is updated.",
        (
            "수 하나의 바이트 수입니다. float32는 4, bfloat16은 2입니다. 혼합 정밀도는 가중치와 기울기에 2바이트를 쓰고, 갱신은 float32 "
            "사본에 합니다."
        ),
    ),
    "llm.precision.float32": ("float32", "float32"),
    "llm.precision.bfloat16": ("bfloat16", "bfloat16"),
    "llm.precision.mixed": ("mixed", "혼합 정밀도"),
    # headline
    "llm.parameters": ("Parameters", "매개변수"),
    "llm.memory": ("Memory of a training step", "학습 한 단계의 메모리"),
    "llm.operations": ("Operations a token, forward", "토큰당 순전파 연산량"),
    "llm.speed": ("Training speed, estimated", "학습 속도(추정)"),
    "llm.per_second": ("{count} tokens/s", "초당 {count}토큰"),
    "llm.since": ("{change} since {preset}", "{preset} 대비 {change}"),
    # parameters
    "llm.parameters_title": ("Where the parameters are", "매개변수가 있는 곳"),
    "llm.both": (
        "**{tied}** with the output head tied to the token embedding, **{untied}** with a head of its own.",
        "출력층이 토큰 임베딩을 함께 쓰면 **{tied}**개, 따로 두면 **{untied}**개입니다.",
    ),
    "llm.treemap_alt": (
        "Parameters by part: {parts}. The table below has every number.",
        "부분별 매개변수: {parts}. 정확한 값은 아래 표에 있습니다.",
    ),
    "llm.treemap_part": ("{name} · {share}", "{name} · {share}"),
    "llm.hover": ("<b>{name}</b><br>{count} parameters<br>{share} of the model", "<b>{name}</b><br>매개변수 {count}개<br>전체의 {share}"),
    "llm.hover_block": ("each of {times}: {each}", "{times}개 각각 {each}개"),
    "llm.whole": ("The model", "모델 전체"),
    "llm.part.tok_emb": ("Token embedding", "토큰 임베딩"),
    "llm.part.pos_emb": ("Position embedding", "위치 임베딩"),
    "llm.part.blocks": ("Blocks × {count}", "블록 × {count}"),
    "llm.part.att": ("Attention", "어텐션"),
    "llm.part.ff": ("Feed-forward", "피드포워드"),
    "llm.part.norms": ("Norms", "정규화"),
    "llm.part.norm1": ("Norm before attention", "어텐션 앞 정규화"),
    "llm.part.norm2": ("Norm before feed-forward", "피드포워드 앞 정규화"),
    "llm.part.att.W_query": ("Queries", "쿼리"),
    "llm.part.att.W_key": ("Keys", "키"),
    "llm.part.att.W_value": ("Values", "값"),
    "llm.part.att.out_proj": ("Output projection", "출력 투영"),
    "llm.part.ff.layers.0": ("To hidden", "은닉층으로"),
    "llm.part.ff.layers.2": ("From hidden", "은닉층에서"),
    "llm.part.final_norm": ("Final norm", "마지막 정규화"),
    "llm.part.out_head": ("Output head", "출력층"),
    "llm.table": ("Every part, in the order in which a token passes it", "토큰이 지나는 순서대로 본 모든 부분"),
    "llm.column.part": ("Part", "부분"),
    "llm.column.path": ("In the model", "모델 안 경로"),
    "llm.column.shapes": ("Shapes", "형상"),
    "llm.column.each": ("Each", "하나당"),
    "llm.column.times": ("Times", "개수"),
    "llm.column.total": ("Together", "합계"),
    "llm.column.share": ("Share", "비율"),
    "llm.shared": ("shared", "공유"),
    "llm.sum": ("All", "전체"),
    # memory
    "llm.memory_title": ("Memory of a training step", "학습 한 단계의 메모리"),
    "llm.piece.weights": ("weights", "가중치"),
    "llm.piece.gradients": ("gradients", "기울기"),
    "llm.piece.states": ("optimiser state", "옵티마이저 상태"),
    "llm.piece.master": ("float32 copy of the weights", "가중치의 float32 사본"),
    "llm.piece.activations": ("activations kept for backward", "역전파용 활성값"),
    "llm.fits": (
        "**{total}** in all: fits into the {memory} of {device}.",
        "모두 **{total}**이며, {device}의 메모리 {memory}에 들어갑니다.",
    ),
    "llm.fits_not": (
        "**{total}** in all: does not fit into the {memory} of {device}. {advice}",
        "모두 **{total}**이며, {device}의 메모리 {memory}에 들어가지 않습니다. {advice}",
    ),
    "llm.advice_batch": ("It would with a batch of {batch}.", "배치 크기가 {batch}이면 들어갑니다."),
    "llm.advice_split": (
        "Not even with a batch of 1: it has to be shared out over several devices, or activations computed anew (checkpointing).",
        "배치 크기를 1로 줄여도 들어가지 않습니다. 여러 장치에 나누거나 활성값을 다시 계산하는 방식(체크포인팅)이 필요합니다.",
    ),
    "llm.memory_each": (
        (
            "{pieces}. Without a training, the weights alone: {weights}; keys and values of one full text while it is written (KV "
            "cache): {cache}."
        ),
        (
            "{pieces}. 학습하지 않을 때는 가중치 {weights}만 필요하고, 글 하나를 컨텍스트 길이만큼 생성할 때 키와 값(KV 캐시)이 "
            "{cache}를 씁니다."
        ),
    ),
    "llm.memory_note": (
        (
            "Left out: what is there for a moment only (gradients on their way, the scores of the output before the loss), what the "
            "allocator and the driver take, and kernels that keep less (fused attention keeps no scores; on CUDA a dropout mask takes 1 "
            "byte a number)."
        ),
        (
            "잠시만 쓰는 메모리(전달 중인 기울기, 손실을 구하기 전의 출력 점수), 할당기와 드라이버가 쓰는 메모리, 더 적게 보관하는 "
            "커널(융합 어텐션은 점수를 보관하지 않고, CUDA의 드롭아웃 마스크는 수 하나에 1바이트)은 반영하지 않았습니다."
        ),
    ),
    # operations
    "llm.operations_title": ("Operations", "연산량"),
    "llm.operations_text": (
        (
            "A token takes **{forward}** forward, {attention} of it in attention over {context} tokens, and **{step}** in training, "
            "backward included. One step with {tokens} tokens takes **{batch}**."
        ),
        (
            "토큰 하나에 순전파 **{forward}**가 들고, 그중 {attention}가 토큰 {context}개에 대한 어텐션입니다. 역전파까지 하는 학습에는 "
            "토큰당 **{step}**, 토큰 {tokens}개인 한 단계에는 **{batch}**가 듭니다."
        ),
    ),
    "llm.rule": (
        "The rule of thumb, 6 operations a parameter and token, gives {rule}: {difference}.",
        "흔히 쓰는 어림셈(매개변수와 토큰마다 연산 6번)으로는 {rule}입니다({difference}).",
    ),
    "llm.rule_less": ("{percent} less, as it leaves attention out", "어텐션을 빼므로 {percent} 적음"),
    "llm.rule_more": (
        "{percent} more, as it counts embeddings that are only looked up",
        "찾아 읽기만 하는 임베딩까지 세므로 {percent} 많음",
    ),
    "llm.counted": ("How it is counted", "계산 방법"),
    "llm.symbols": (
        "V vocabulary, T context length, D embedding dimension, H heads, L layers, f hidden width, B batch, w bytes of a number.",
        "V 어휘 크기, T 컨텍스트 길이, D 임베딩 차원, H 헤드 수, L 층 수, f 은닉 차원 배수, B 배치 크기, w 수 하나의 바이트 수.",
    ),
    "llm.formula.parameters": (
        "Parameters, with a tied head; V·D more with a head of its own, 3·L·D more with `qkv_bias`:",
        "출력층 가중치를 공유할 때의 매개변수입니다. 따로 두면 V·D개, `qkv_bias`를 쓰면 3·L·D개가 늘어납니다.",
    ),
    "llm.formula.operations": (
        "Operations forward, products only; backward takes twice as many, as each product gives a gradient to both its factors:",
        "순전파 연산량(곱만 셉니다)입니다. 역전파에서는 곱마다 두 인수 모두에 기울기를 주므로 두 배가 듭니다.",
    ),
    "llm.formula.activations": (
        (
            "Numbers of w bytes kept for backward in each block, p = 1 with dropout, 0 without; equal to the byte to what a recording of "
            "the program keeps, with the few numbers around the blocks and positions of tokens added:"
        ),
        (
            "블록마다 역전파를 위해 보관하는, w바이트인 수의 개수입니다. 드롭아웃이 있으면 p = 1, 없으면 0입니다. 블록 밖의 값과 토큰 "
            "번호를 더하면 프로그램을 기록했을 때 실제로 보관되는 양과 바이트까지 같습니다."
        ),
    ),
    # speed
    "llm.speed_title": ("Speed to expect", "예상 속도"),
    "llm.estimated": (
        "Estimated from what the maker publishes, not measured.",
        "제조사가 공개한 수치로 추정한 값이며, 측정한 값이 아닙니다.",
    ),
    "llm.name.device": ("Device", "장치"),
    "llm.own": ("Numbers of your own", "직접 입력"),
    "llm.own_name": ("your device", "입력한 장치"),
    "llm.name.share": ("Share of the peak (%)", "최대 성능 대비 비율(%)"),
    "llm.help.share": (
        "What a training makes of the peak: 30 to 50 % where it is tuned well, often less, and far less with a small model.",
        "학습이 최대 성능 중 실제로 쓰는 비율입니다. 잘 최적화하면 30~50%이고 그보다 낮을 때가 많으며, 작은 모델에서는 훨씬 낮습니다.",
    ),
    "llm.name.peak": ("Peak (TFLOP/s)", "최대 성능(TFLOP/s)"),
    "llm.name.memory": ("Memory (GB)", "메모리(GB)"),
    "llm.name.bandwidth": ("Bandwidth (GB/s)", "대역폭(GB/s)"),
    "llm.published": (
        "{peak} TFLOP/s {kind}, {memory} GB, {bandwidth} GB/s. Source: {source}.",
        "{peak} TFLOP/s({kind}), {memory} GB, {bandwidth} GB/s. 출처: {source}.",
    ),
    "llm.kind.half": ("in 16 bits, dense", "16비트, 밀집 행렬"),
    "llm.kind.single": ("in float32", "float32"),
    "llm.speed_training": (
        "Training: about **{speed} tokens/s**; a step takes {seconds}, a billion tokens {long}.",
        "학습: **초당 약 {speed}토큰**이며, 한 단계에 {seconds}, 토큰 10억 개에 {long}이 걸립니다.",
    ),
    "llm.speed_writing": (
        "Writing one text: at most **{speed} tokens/s**, as all weights are read anew for each token ({bytes}, keys and values included).",
        "글 하나 생성: 토큰마다 모든 가중치를 다시 읽으므로(키와 값을 포함해 {bytes}) **초당 최대 {speed}토큰**입니다.",
    ),
    "llm.time.microseconds": ("{count} µs", "{count}µs"),
    "llm.time.milliseconds": ("{count} ms", "{count}ms"),
    "llm.time.seconds": ("{count} s", "{count}초"),
    "llm.time.minutes": ("{count} min", "{count}분"),
    "llm.time.hours": ("{count} h", "{count}시간"),
    "llm.time.days": ("{count} days", "{count}일"),
    "llm.time.years": ("{count} years", "{count}년"),
    "llm.measure": ("Measure on this machine", "이 컴퓨터에서 측정"),
    "llm.measure_about": (
        (
            "Trains this very model on {device} for ten seconds, two minutes at most, in a process of its own: one text of the whole "
            "context a step."
        ),
        (
            "이 모델을 {device}에서 10초 동안, 길어도 2분까지 실제로 학습해 봅니다. 별도 프로세스에서 한 단계에 컨텍스트 길이만큼의 글 "
            "하나를 처리합니다."
        ),
    ),
    "llm.measuring": ("Measuring on {device} …", "{device}에서 측정하는 중 …"),
    "llm.measured": (
        "Measured on this machine ({device}, {precision}): **{speed} tokens/s** in {steps} steps, {rate}/s.",
        "이 컴퓨터에서 측정한 값({device}, {precision}): {steps}단계 동안 **초당 {speed}토큰**, {rate}/s입니다.",
    ),
    "llm.measure_memory": (
        "Training it needs {needed}, and this machine has {free} free: choose a smaller model or a shorter context to measure it.",
        "학습에 {needed}가 필요한데 이 컴퓨터에 남은 메모리는 {free}입니다. 모델이나 컨텍스트 길이를 줄이면 측정할 수 있습니다.",
    ),
    "llm.measure_failed": (
        "It could not be measured on {device}: {reason}. Choose a smaller model, or another data type.",
        "{device}에서 측정하지 못했습니다: {reason}. 더 작은 모델이나 다른 자료형을 골라 주세요.",
    ),
    "llm.measure_slow": (
        "No step was done in {seconds} s: choose a smaller model or a shorter context to measure it.",
        "{seconds}초 안에 한 단계도 끝나지 않았습니다. 모델이나 컨텍스트 길이를 줄여 주세요.",
    ),
    # graph
    "llm.graph_title": ("The graph of this very model", "이 모델의 계산 그래프"),
    "llm.graph_about": (
        (
            "One training step of one full text, run with tensors that have a shape and no numbers: every op, shape and saved byte is "
            "the real model's, and no memory is taken. Press a block to open it."
        ),
        (
            "전체 길이의 글 하나로 학습 한 단계를 실행한 것입니다. 형상만 있고 값은 없는 텐서로 실행하므로 연산, 형상, 저장 바이트는 "
            "실제 모델과 같지만 메모리는 쓰지 않습니다. 블록을 누르면 펼쳐집니다."
        ),
    ),
    "llm.graph_draw": ("Draw the graph", "그래프 그리기"),
    "llm.graph_other": (
        "The graph of this configuration is not drawn yet: press the button, and it is there in some seconds.",
        "이 설정의 그래프는 아직 그리지 않았습니다. 버튼을 누르면 몇 초 뒤에 나타납니다.",
    ),
    "llm.graph_deep": (
        "Graphs are drawn up to {most} layers: choose fewer to see one. All blocks are equal, so it would show no more.",
        "그래프는 {most}층까지 그립니다. 층을 줄이면 볼 수 있습니다. 블록은 모두 같으므로 층이 더 많아도 보이는 내용은 같습니다.",
    ),
    # facts
    "llm.facts": ("Often told wrong", "자주 틀리게 알려진 것"),
    "llm.fact.counts": (
        (
            "GPT-2's paper gives 117, 345, 762 and 1,542 million parameters. The models that were published have 124, 355, 774 and 1,558 "
            "million."
        ),
        (
            "GPT-2 논문에는 매개변수가 1억 1,700만, 3억 4,500만, 7억 6,200만, 15억 4,200만 개로 적혀 있지만, 공개된 모델은 약 1억 "
            "2,400만, 3억 5,500만, 7억 7,400만, 15억 5,800만 개입니다."
        ),
    ),
    "llm.fact.dimensions": (
        "An embedding has hundreds to thousands of dimensions, never billions. Millions to trillions is what parameters are counted in.",
        "임베딩 차원은 수백에서 수천이며, 수십억이 아닙니다. 수백만에서 수조까지 세는 것은 매개변수입니다.",
    ),
    "llm.fact.heads": (
        "More heads do not make a model larger: they share the same embedding dimension.",
        "헤드를 늘려도 모델은 커지지 않습니다. 같은 임베딩 차원을 나누어 쓸 뿐입니다.",
    ),
    "llm.fact.dropout": (
        "Dropout sets activations to zero, not training data, and only while the model is trained.",
        "드롭아웃은 학습 데이터가 아니라 활성값을 0으로 만들며, 학습할 때만 그렇게 합니다.",
    ),
    "llm.fact.rule": (
        "What changes the weights is gradient descent; backpropagation only works out the gradients that it needs.",
        "가중치를 바꾸는 규칙은 경사 하강법입니다. 역전파는 거기에 필요한 기울기를 구할 뿐입니다.",
    ),
}
