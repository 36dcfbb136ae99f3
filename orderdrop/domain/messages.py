"""The sentences behind the codes: what is wrong and what to do, in Chinese and English. {column}, {value}, {bound} are facts."""

from __future__ import annotations

from typing import Final, NamedTuple

from orderdrop.domain.codes import Code


class Words(NamedTuple):
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


WORDS: Final[dict[Code, Words]] = {
    Code.FILE_EMPTY: Words(
        "文件是空的",
        "the file is empty",
        "写入表头和委托后重新放入",
        "write a header and rows, drop it again",
    ),
    Code.FILE_ENCODING: Words(
        "文件既不是 UTF-8 也不是 GBK/GB18030 编码",
        "the file is neither UTF-8 nor GBK/GB18030",
        "另存为 UTF-8 CSV",
        "save it as UTF-8 CSV",
    ),
    Code.FILE_NUL: Words(
        "文件含有空字节(NUL),可能写坏了",
        "the file holds NUL bytes; it may be damaged",
        "重新生成文件",
        "write the file anew",
    ),
    Code.FILE_TOO_LARGE: Words(
        "文件 {value} 字节,超过上限 {bound}",
        "the file has {value} bytes, more than {bound}",
        "拆分文件,或调大 [inbox] max_bytes",
        "split it, or raise [inbox] max_bytes",
    ),
    Code.FILE_TOO_MANY_ROWS: Words(
        "文件超过 {bound} 行",
        "the file has more than {bound} rows",
        "拆分文件,或调大 [inbox] max_rows",
        "split it, or raise [inbox] max_rows",
    ),
    Code.FILE_LINK: Words(
        "这是符号链接,不接收", "a symbolic link is not taken", "放入文件本身", "drop the file itself"
    ),
    Code.FILE_NAME: Words(
        "文件名不合法: {value}",
        "the file's name is not allowed: {value}",
        "换一个普通的文件名",
        "use a plain file name",
    ),
    Code.FILE_TYPE: Words(
        "不认识的文件类型: {value}", "unknown type of file: {value}", "使用 {bound}", "use {bound}"
    ),
    Code.FILE_STALE: Words(
        "文件属于 {value},今天是 {bound}:委托只在当日有效",
        "the file belongs to {value}, today is {bound}: an order lives one trading day",
        "确认仍要交易后,换名重新放入",
        "if you still want to trade it, drop it again under a new name",
    ),
    Code.FILE_TOO_DEEP: Words(
        "文件在子文件夹的子文件夹里：{value}，不接收",
        "the file lies in a folder of a folder: {value}; it is not taken",
        "移到收件箱，或其下一层的子文件夹",
        "move it into the inbox, or into a folder right below it",
    ),
    Code.FILE_LIBRARY: Words(
        "读取 {value} 需要一个未安装的库",
        "reading {value} needs a library that is not installed",
        "安装后重新放入: {bound}",
        "install it and drop the file again: {bound}",
    ),
    Code.FILE_DAMAGED: Words(
        "文件不完整或已损坏: {value}",
        "the file is incomplete or damaged: {value}",
        "用 Excel 打开并另存一份,或重新生成,再放入",
        "open it in Excel and save it under a new name, or make it anew, and drop it again",
    ),
    Code.FILE_ENCRYPTED: Words(
        "工作簿有打开密码,读不了",
        "the workbook needs a password to be opened",
        "去掉打开密码(工作表保护不影响),重新放入",
        "remove the password to open it (a protected sheet is fine) and drop it again",
    ),
    Code.FILE_INFLATES: Words(
        "文件展开后过大: {value},上限 {bound}",
        "the file grows too large when it is unpacked: {value}, the limit is {bound}",
        "只保留委托工作表,删除多余的行、列、图片,再放入",
        "keep only the order sheet, delete spare rows, columns and pictures, and drop it again",
    ),
    Code.BOOK_MACROS: Words(
        "带宏的工作簿不接收: {value}",
        "a workbook with macros is not taken: {value}",
        "另存为 .xlsx(不带宏)后放入",
        "save it as .xlsx, which holds no macros, and drop that",
    ),
    Code.BOOK_LINKS: Words(
        "工作簿引用了其他文件,数值可能是旧的: {value}",
        "the workbook links to other files, so its values may be old: {value}",
        "数据 → 编辑链接 → 断开链接,保存后重新放入",
        "Data → Edit Links → Break Link, save, and drop it again",
    ),
    Code.SHEET_NOT_FOUND: Words(
        "没有一张工作表的前 {bound} 行里有委托表头",
        "no sheet has an order header in its first {bound} rows",
        "写一行列名:代码、方向、数量、价格;或用 orderdrop template 生成模板",
        "write a row of column names: symbol, side, volume, price; or make a template with orderdrop template",
    ),
    Code.SHEET_HIDDEN: Words(
        "隐藏的工作表 “{value}” 里有委托,整份不接收",
        "the hidden sheet “{value}” holds orders, so nothing of the workbook is taken",
        "取消隐藏并核对,或删除这张工作表,再放入",
        "unhide and check it, or delete it, and drop the workbook again",
    ),
    Code.HEADER_UNKNOWN_COLUMN: Words(
        "表头有不认识的列 “{value}”",
        "the header has unknown columns: “{value}”",
        "删除或改名；{bound}",
        "remove or rename them; {bound}",
    ),
    Code.HEADER_PLACED_ORDERS: Words(
        "这是已报委托的清单（有 {value}），不是要下的单",
        "this is a list of placed orders (it has {value}), not of orders to place",
        "要按它下单，请删掉这些列再放入：{bound}",
        "to place them again, remove these columns and drop it again: {bound}",
    ),
    Code.COLUMN_NAMELESS: Words(
        "有一列没有列名，里面却有内容：“{value}”",
        "a column without a name holds “{value}”",
        "给它写上列名，或删掉这一列；pandas 请用 to_csv(index=False)",
        "name the column or remove it; with pandas, write to_csv(index=False)",
    ),
    Code.HEADER_MISSING_COLUMN: Words(
        "表头缺少列 {value}",
        "the header lacks the column {value}",
        "补上这一列{bound}",
        "add the column{bound}",
    ),
    Code.HEADER_TWICE: Words(
        "表头里 “{value}” 出现两次",
        "the column “{value}” stands twice in the header",
        "只保留一列",
        "keep one of them",
    ),
    Code.HEADER_NOT_FOUND: Words(
        "第一行不是表头: “{value}”",
        "the first line is not a header: “{value}”",
        "第一行写列名: {bound}",
        "begin with the column names: {bound}",
    ),
    Code.ROW_TORN: Words(
        "最后一行没有换行符,可能没写完: “{value}”",
        "the last line has no newline and may be cut short: “{value}”",
        "写完整行并以换行结束,或写完后放一个同名 .fin 文件",
        "end every line with a newline, or put an empty .fin file beside it when done",
    ),
    Code.ROW_TORN_REST: Words(
        "这是一行被截断委托的后半段,不会拼接: “{value}”",
        "the rest of a line that was refused as cut; never glued on: “{value}”",
        "把整行重新放入",
        "drop the whole row again",
    ),
    Code.ROW_FIELDS: Words(
        "有 {value} 个字段,表头有 {bound} 列",
        "{value} fields where the header has {bound}",
        "检查多余或缺少的逗号",
        "look for a missing or stray comma",
    ),
    Code.ROW_QUOTES: Words(
        "引号不成对或跨行: “{value}”",
        "quotes do not match or span lines: “{value}”",
        "一行一笔委托,引号成对",
        "one line an order, quotes in pairs",
    ),
    Code.ROW_ENCODING: Words(
        "这一行的编码与文件不一致",
        "this line is not in the file's encoding",
        "统一编码后重新放入",
        "use one encoding for the whole file",
    ),
    Code.ROW_NUL: Words(
        "这一行含有空字节(NUL)", "this line holds NUL bytes", "重新写这一行", "write the line anew"
    ),
    Code.ROW_HEADER_AGAIN: Words(
        "表头又出现了一次(多个程序同时写?)",
        "the header stands here again (several writers?)",
        "删掉这一行;多进程请用 orderdrop.append()",
        "remove it; several processes should use orderdrop.append()",
    ),
    Code.ROW_LATE: Words(
        "文件已整体拒绝,之后写入的行同样不发送",
        "the file was refused whole, a row written later is refused too",
        "改好后整份重新放入",
        "mend the file and drop all of it again",
    ),
    Code.CELL_UNSAVED: Words(
        "{column} 是公式,但没有保存计算结果({value})",
        "{column} is a formula without a saved result ({value})",
        "用 Excel 打开并保存,再放入",
        "open and save the workbook in Excel, then drop it again",
    ),
    Code.CELL_ERROR: Words(
        "{column} 是错误值 {value}",
        "{column} is the error {value}",
        "改正公式或写入数值",
        "mend the formula or write a value",
    ),
    Code.CELL_DATE: Words(
        "{column} 是日期 {value}",
        "{column} is a date: {value}",
        "把单元格设为文本或数值,重新输入",
        "format the cell as text or number and type it again",
    ),
    Code.CELL_MERGED: Words(
        "这一行有合并单元格 {value}",
        "the row has merged cells: {value}",
        "取消合并,每行填写完整",
        "unmerge them and fill in every row",
    ),
    Code.CELL_OUTSIDE: Words(
        "单元格 {column} 不在任何列名之下,却有内容 “{value}”",
        "the cell {column} stands under no column name, and holds “{value}”",
        "删除它,或给这一列写上列名",
        "delete it, or give its column a name",
    ),
    Code.VALUE_MISSING: Words("{column} 为空", "{column} is empty", "填写 {column}", "fill in {column}"),
    Code.VALUE_FORMULA: Words(
        "{column} 是公式或以 = + @ 开头: “{value}”",
        "{column} is a formula or begins like one: “{value}”",
        "写成数值或普通文字",
        "write a value or plain text",
    ),
    Code.VALUE_CONTROL: Words(
        "{column} 含有控制字符",
        "{column} holds control characters",
        "删除不可见字符",
        "remove invisible characters",
    ),
    Code.VALUE_TOO_LONG: Words(
        "{column} 超过 {bound} 个字符", "{column} has more than {bound} characters", "缩短它", "shorten it"
    ),
    Code.VALUE_CHARACTERS: Words(
        "{column} “{value}” 含有不允许的字符",
        "{column} “{value}” holds characters that are not allowed",
        "只用文字、数字和 _ . -,不以点开头或结尾",
        "use letters, digits and _ . - with no dot at either end",
    ),
    Code.SID_BAD: Words(
        "编号 “{value}” 不合法",
        "the sid “{value}” is not allowed",
        "1 到 64 个 A-Z a-z 0-9 _ . -",
        "use 1 to 64 of A-Z a-z 0-9 _ . -",
    ),
    Code.SID_EXCEL: Words(
        "编号 “{value}” 像是被 Excel 改成了数字",
        "the sid “{value}” looks damaged by Excel",
        "把该列设为文本,或在编号前加字母",
        "format the column as text, or begin sids with a letter",
    ),
    Code.SID_CONFLICT: Words(
        "编号 “{value}” 已用于另一笔委托({bound})",
        "the sid “{value}” was used for a different order ({bound})",
        "新委托用新编号",
        "give a new order a new sid",
    ),
    Code.SID_UNKNOWN: Words(
        "没有编号为 “{value}” 的委托",
        "there is no order with the sid “{value}”",
        "用 orderdrop orders 查看编号",
        "look it up with orderdrop orders",
    ),
    Code.SYMBOL_BAD: Words(
        "代码 “{value}” 认不出",
        "the symbol “{value}” is not understood",
        "写成 SHSE.600000 或 000001.SZ",
        "write it as SHSE.600000 or 000001.SZ",
    ),
    Code.SYMBOL_MARKET: Words(
        "市场列写的是 “{bound}”，与代码 “{value}” 对不上，或不是沪深北的市场",
        "the market column says “{bound}”, which does not go with the code “{value}” or is no exchange in Shanghai, Shenzhen or Beijing",
        "改正市场列或代码，例如 600000.SH",
        "correct the market or the code, such as 600000.SH",
    ),
    Code.SYMBOL_AMBIGUOUS: Words(
        "代码 “{value}” 可能是 {bound},不猜",
        "the symbol “{value}” may be {bound}; we do not guess",
        "写明交易所",
        "name the exchange",
    ),
    Code.NUMBER_BAD: Words(
        "{column} “{value}” 不是数字",
        "{column} “{value}” is not a number",
        "写成普通数字,如 {bound}",
        "write a plain number such as {bound}",
    ),
    Code.VOLUME_BAD: Words(
        "数量 “{value}” 必须是正整数",
        "the volume “{value}” must be a positive whole number",
        "改成正整数",
        "write a positive whole number",
    ),
    Code.PRICE_BAD: Words(
        "价格 “{value}” 必须大于零",
        "the price “{value}” must be above zero",
        "改成正数",
        "write a positive number",
    ),
    Code.PRICE_DECIMALS: Words(
        "价格 “{value}” 超过 {bound} 位小数",
        "the price “{value}” has more than {bound} decimals",
        "减少小数位",
        "use fewer decimals",
    ),
    Code.SIDE_BAD: Words(
        "买卖方向 “{value}” 认不出",
        "the side “{value}” is not understood",
        "写 1/买/B 或 2/卖/S",
        "write 1/buy/B or 2/sell/S",
    ),
    Code.ORDER_TYPE_BAD: Words(
        "委托类型 “{value}” 认不出",
        "the order type “{value}” is not understood",
        "可用: {bound}",
        "use one of {bound}",
    ),
    Code.TIME_BAD: Words(
        "{column} “{value}” 不是时刻",
        "{column} “{value}” is not a time of day",
        "写成 09:31:00",
        "write it as 09:31:00",
    ),
    Code.PRICE_MISSING: Words(
        "限价委托没有价格", "a limit order without a price", "填写 price", "fill in the price"
    ),
    Code.PRICE_NOT_ALLOWED: Words(
        "{bound} 不能带价格 {value}",
        "{bound} takes no price, {value} given",
        "价格留空或填 0,或改为限价(1)",
        "leave the price empty or 0, or make it a limit order (1)",
    ),
    Code.ACCOUNT_MISSING: Words(
        "没有账号,而工作区有多个账号",
        "no account_id, and there are several accounts",
        "填写 account_id: {bound}",
        "fill in account_id: {bound}",
    ),
    Code.ACCOUNT_AS_NUMBER: Words(
        "账户 “{value}” 像是被表格软件或 pandas 当成了数字",
        "the account “{value}” looks like {bound} after a spreadsheet or pandas has made a number of it",
        "按文本写成 {bound}（pandas：dtype=str）",
        "write it as text, {bound} (pandas: dtype=str)",
    ),
    Code.ACCOUNT_UNKNOWN: Words(
        "账号 “{value}” 不在设置里",
        "the account “{value}” is not in the settings",
        "可用账号: {bound}",
        "known accounts: {bound}",
    ),
    Code.BOARD_UNKNOWN: Words(
        "{value} 不属于任何已知板块",
        "{value} belongs to no board we know",
        "核对代码和交易所",
        "check code and exchange",
    ),
    Code.SIDE_NOT_ALLOWED: Words(
        "{value} 只能 {bound}",
        "{value} allows only {bound}",
        "改变方向或代码",
        "change the side or the symbol",
    ),
    Code.CREDIT_ACCOUNT: Words(
        "{bound} 不做信用业务 {value}",
        "{bound} takes no credit order {value}",
        "改为 1 或 2,或用信用账户的通道(account_type = CREDIT)",
        "use 1 or 2, or an account whose gateway has account_type = CREDIT",
    ),
    Code.LOT_SIZE: Words(
        "数量 {value} 不符合每手规则: {bound}",
        "the volume {value} breaks the lot rule: {bound}",
        "调整数量",
        "change the volume",
    ),
    Code.LOT_MINIMUM: Words(
        "数量 {value} 低于最低 {bound}",
        "the volume {value} is below the minimum of {bound}",
        "调整数量",
        "change the volume",
    ),
    Code.VOLUME_MAXIMUM: Words(
        "数量 {value} 超过单笔上限 {bound}",
        "the volume {value} is above the maximum of {bound} for one order",
        "拆成多笔",
        "split the order",
    ),
    Code.PRICE_TICK: Words(
        "价格 {value} 不是最小变动价位 {bound} 的整数倍",
        "the price {value} is not a multiple of the tick {bound}",
        "调整价格",
        "change the price",
    ),
    Code.ORDER_TYPE_EXCHANGE: Words(
        "委托类型 {value} 不能用于 {bound}",
        "the order type {value} is not available on {bound}",
        "改为限价(1)",
        "use a limit order (1)",
    ),
    Code.CHECK_FAILED: Words(
        "检查 {column} 无法运行,按拒绝处理: {value}",
        "the check {column} could not run, so it denies: {value}",
        "查看日志并报告",
        "look into the log and report it",
    ),
    Code.HALTED: Words(
        "已暂停新委托(HALT)",
        "new orders are halted (HALT)",
        "orderdrop resume 后重新放入",
        "run orderdrop resume, then drop it again",
    ),
    Code.PRICE_LIMIT: Words(
        "价格 {value} 超出涨跌停 {bound}",
        "the price {value} is outside the day's limits {bound}",
        "改到范围内",
        "bring it inside",
    ),
    Code.PRICE_CAGE: Words(
        "价格 {value} 超出连续竞价有效申报范围 {bound}",
        "the price {value} is outside the cage of continuous trading, {bound}",
        "靠近最新价",
        "move it towards the last price",
    ),
    Code.LOT_ODD: Words(
        "零股须一次卖出:卖 {value},可卖 {bound}",
        "an odd lot is sold whole: selling {value} of {bound}",
        "卖整手,或连同零股全部卖出",
        "sell whole lots, or all of the odd rest with them",
    ),
    Code.REFERENCE_MISSING: Words(
        "没有 {value} 的昨收价,涨跌停未检查",
        "no previous close of {value}: the daily limit was not checked",
        "等终端给出,或写入 instruments.csv",
        "wait until the terminal tells it, or give it in instruments.csv",
    ),
    Code.REFERENCE_NEEDED: Words(
        "没有 {value} 的参考价,无法按 {bound} 检查",
        "no reference price of {value}, so this cannot be checked: {bound}",
        "写明价格,或在 instruments.csv 里给出昨收价或最新价",
        "give a price, or its previous close or last price in instruments.csv",
    ),
    Code.WORTH_UNKNOWN: Words(
        "没有 {value} 的参考价，金额限额按委托价计算，成交可能更高",
        "no reference price of {value}: limits in yuan count this sale at its own price, and it may bring more",
        "在 instruments.csv 里给出昨收价或最新价",
        "give its previous close or last price in instruments.csv",
    ),
    Code.SECURITY_SUSPENDED: Words(
        "终端说 {value} 今天停牌",
        "the terminal says that {value} is suspended today",
        "在终端核对;停牌期间券商多半拒单",
        "look into the terminal; most brokers refuse orders while it is suspended",
    ),
    Code.ST_UNKNOWN: Words(
        "不知道 {value} 是否 ST,按 {bound} 拒绝",
        "nobody knows whether {value} is ST, and {bound} forbids it",
        "在 instruments.csv 的 st 列写明 0 或 1",
        "say 0 or 1 in the column st of instruments.csv",
    ),
    Code.CALENDAR_UNKNOWN: Words(
        "不知道 {value} 年的交易日历,实盘停止",
        "nobody knows the trading days of {value}; live trading stops",
        'pip install ".[calendar]" 后运行 orderdrop calendar --write,或自己写 calendar.csv',
        'pip install ".[calendar]" and run orderdrop calendar --write, or write calendar.csv yourself',
    ),
    Code.DAY_CLOSED: Words(
        "{value} 休市",
        "{value} is no trading day",
        "交易日再下单;日历有误时改 [calendar]",
        "order on a trading day; mend [calendar] if it is wrong",
    ),
    Code.SESSION_CLOSED: Words(
        "现在是 {value},市场 {bound} 起接收",
        "it is {value}; the market takes it from {bound}",
        '到时再放入,或设 [calendar] outside_session = "hold"',
        'drop it then, or set [calendar] outside_session = "hold"',
    ),
    Code.SESSION_OVER: Words(
        "{value} 已过,今天市场不再接收这类委托",
        "it is {value}; the market takes no such order any more today",
        "下一交易日重新下单",
        "order again on the next trading day",
    ),
    Code.NOT_AFTER_PASSED: Words(
        "最早 {bound} 才能送出,晚于 not_after {value}",
        "it could leave at {bound} at the earliest, its not_after is {value}",
        "改 not_after 后重新放入",
        "change not_after and drop it again",
    ),
    Code.LIMIT_ORDER_VALUE: Words(
        "单笔金额 {value} 超过限额 {bound}",
        "the order is worth {value}, the limit is {bound}",
        "拆小,或修改该设置",
        "make it smaller, or change that setting",
    ),
    Code.LIMIT_ORDER_VOLUME: Words(
        "单笔数量 {value} 超过限额 {bound}",
        "the volume {value} is above the limit {bound}",
        "拆小,或修改该设置",
        "make it smaller, or change that setting",
    ),
    Code.LIMIT_DAY_VALUE: Words(
        "当日金额将达 {value},超过限额 {bound}",
        "the day's value would be {value}, the limit is {bound}",
        "减少委托,或修改该设置",
        "order less, or change that setting",
    ),
    Code.LIMIT_DAY_ORDERS: Words(
        "当日第 {value} 笔,超过限额 {bound}",
        "it would be order {value} of the day, the limit is {bound}",
        "减少委托,或修改该设置",
        "order less, or change that setting",
    ),
    Code.LIMIT_OPEN_ORDERS: Words(
        "未完成委托将达 {value} 笔,超过限额 {bound}",
        "there would be {value} open orders, the limit is {bound}",
        "先撤掉一些,或修改该设置",
        "cancel some first, or change that setting",
    ),
    Code.LIMIT_DEVIATION: Words(
        "价格 {value} 偏离参考价 {bound}",
        "the price {value} is too far from the reference {bound}",
        "核对价格,或修改该设置",
        "check the price, or change that setting",
    ),
    Code.LIMIT_SYMBOL: Words(
        "{value} 不许交易: {bound}",
        "{value} may not be traded: {bound}",
        "换代码,或修改该设置",
        "use another symbol, or change that setting",
    ),
    Code.LIMIT_SIDE: Words(
        "方向 {value} 不许: {bound}",
        "the side {value} is not allowed: {bound}",
        "改变方向,或修改该设置",
        "change the side, or that setting",
    ),
    Code.LIMIT_HOURS: Words(
        "{value} 不在允许的时段 {bound}",
        "{value} is outside the hours {bound}",
        "在时段内下单,或修改该设置",
        "order within them, or change that setting",
    ),
    Code.LIMIT_POSITION: Words(
        "持仓将达 {value},超过限额 {bound}",
        "the position would be {value}, the limit is {bound}",
        "减少数量,或修改该设置",
        "buy less, or change that setting",
    ),
    Code.LIMIT_POSITION_PERCENT: Words(
        "持仓占比将达 {value},超过限额 {bound}",
        "the position would be {value} of the assets, the limit is {bound}",
        "减少数量,或修改该设置",
        "buy less, or change that setting",
    ),
    Code.LIMIT_HOLDINGS: Words(
        "持仓将达 {value} 只,超过限额 {bound}",
        "there would be {value} holdings, the limit is {bound}",
        "先卖出,或修改该设置",
        "sell some first, or change that setting",
    ),
    Code.ACCOUNT_NOT_TOLD: Words(
        "还没有账户 {value} 今天的资金和持仓",
        "today's funds and holdings of the account {value} are not known yet",
        "确认终端已登录并有输出",
        "see that the terminal is logged in and writes them",
    ),
    Code.SNAPSHOT_OLD: Words(
        "资金快照已有 {value}(超过 {bound})",
        "the account's snapshot is {value} old, more than {bound}",
        "确认终端在更新",
        "see that the terminal goes on writing",
    ),
    Code.CASH_SHORT: Words(
        "需要 {value} 元,可用 {bound} 元",
        "{value} yuan are needed, {bound} are left",
        "减少数量或入金",
        "buy less, or pay in",
    ),
    Code.SHARES_SHORT: Words(
        "卖出 {value},可卖 {bound}",
        "selling {value}, {bound} can be sold today",
        "减少数量(当日买入的次日才能卖)",
        "sell less (what was bought today is sold tomorrow)",
    ),
    Code.CROSSES_OWN: Words(
        "价格 {value} 会与自己的反向委托 {bound} 成交",
        "at {value} it would trade with the account's own order at {bound}",
        "先撤掉那一笔",
        "cancel that one first",
    ),
    Code.REPEATED: Words(
        "与 {value} 相同,相隔不到 {bound}(脚本运行了两次?)",
        "the same as {value}, less than {bound} later (a script run twice?)",
        "确有需要时 orderdrop release;否则撤销",
        "orderdrop release if it is meant, else cancel it",
    ),
    Code.RATE_DAY: Words(
        "当日委托加撤单第 {value} 次,超过 {bound}",
        "it would be number {value} of today's orders and cancels, the most is {bound}",
        "今天不再下单,或修改该设置",
        "stop for today, or change that setting",
    ),
    Code.RATE_WAIT: Words(
        "排队约 {value},超过 {bound}",
        "it would wait about {value} for its turn, more than {bound}",
        "分批放入,或修改 [limits] max_wait",
        "drop it in parts, or change [limits] max_wait",
    ),
    Code.CANCEL_RATIO: Words(
        "撤单率 {value},达到 {bound}",
        "{value} orders were cancelled today, {bound} or more",
        "减少撤单;暂存的用 orderdrop release 放行",
        "cancel less; orderdrop release lets held orders go",
    ),
    Code.HALTED_SCOPE: Words(
        "已暂停: {value}",
        "halted: {value}",
        "orderdrop resume 后重新放入",
        "run orderdrop resume, then drop it again",
    ),
    Code.REDUCING: Words(
        "只许减仓: {value}",
        "only orders that reduce a position: {value}",
        "只卖出或买券还券,或 orderdrop resume",
        "sell what is held, or return what was sold short, or run orderdrop resume",
    ),
    Code.GATEWAY_CLOSED: Words(
        "通道 {value} 今天 {bound} 已收盘,终端的文件夹已清空,今天不再送单",
        "the gateway {value} was closed for today at {bound} and its terminal's folders are emptied: nothing goes out today any more",
        "次日用新的编号重新放入;今天还要交易:先重启终端,再 orderdrop resume --gateway {value}",
        "order again next day under a new sid; to go on today start the terminal anew, then orderdrop resume --gateway {value}",
    ),
    Code.GATEWAY_OTHER: Words(
        "账户 {value} 在设置里已不走通道 {bound}，未送出",
        "by the settings the account {value} does not use the gateway {bound} any more, so this was not sent",
        "用新的编号重新放入，或改回设置",
        "order again under a new sid, or put the settings back",
    ),
    Code.STRATEGY_UNKNOWN: Words(
        "设置里没有策略 {value}，策略限额不作用于它",
        "the settings name no strategy {value}, so no limit of a strategy binds this",
        "检查写法，或在 [strategies] 里写上它",
        "look at the spelling, or name it in [strategies]",
    ),
    Code.NOT_SENT: Words(
        "同一文件有问题行({value}),整份未发送",
        "not sent: another row of the file is bad ({value}), and a basket goes whole or not at all",
        "改好后整份重新放入,编号可不变",
        "mend the file and drop it again, the sids may stay",
    ),
    Code.HELD: Words(
        "暂存,等待放行", "held until it is released", "orderdrop release {value}", "orderdrop release {value}"
    ),
    Code.HELD_SESSION: Words(
        "暂存到 {value},现在是 {bound}",
        "held until {value}; now it is {bound}",
        "无需处理,到时自动送出",
        "nothing to do, it goes by itself",
    ),
    Code.HELD_NOT_BEFORE: Words(
        "按 not_before 暂存到 {value}",
        "held until {value}, as not_before asks",
        "无需处理,到时自动送出",
        "nothing to do, it goes by itself",
    ),
    Code.HELD_SWITCH: Words(
        "开关关闭时在排队,已暂存: {value}",
        "it was waiting when this was switched off: {value}",
        "orderdrop resume,然后 orderdrop release",
        "run orderdrop resume, then orderdrop release",
    ),
    Code.CANCEL_CLOSED: Words(
        "{value} 交易所不接受撤单",
        "the exchange takes no cancels now: {value}",
        "{bound} 之后再撤",
        "cancel again after {bound}",
    ),
    Code.CANCELED_HERE: Words(
        "已撤销,柜台从未收到这笔委托", "cancelled here, the broker never had it", "无需处理", "nothing to do"
    ),
    Code.CANCEL_FINISHED: Words(
        "{value} 已是终态 {bound},无法撤单",
        "{value} is already {bound} and cannot be cancelled",
        "无需处理",
        "nothing to do",
    ),
    Code.CANCEL_REJECTED: Words(
        "柜台拒绝撤单: {value}", "the broker refused the cancel: {value}", "稍后重试", "try again later"
    ),
    Code.RELEASE_NOT_HELD: Words(
        "{value} 不在暂存状态({bound})", "{value} is not held ({bound})", "无需处理", "nothing to do"
    ),
    Code.CANCEL_WAITS: Words(
        "委托还没有确认,确认后立即撤单",
        "the order is not confirmed yet; the cancel goes as soon as it is",
        "无需操作",
        "nothing to do",
    ),
    Code.CANCEL_EARLY: Words(
        "还没有编号为 “{value}” 的委托，撤单等它，等到今日结束",
        "there is no order with the sid “{value}” yet; the cancel waits for it, until the day's end",
        "委托一到就在这里撤销；编号写错了，就用正确的编号再撤",
        "its order is cancelled here when it comes; if the sid is wrong, cancel the right one",
    ),
    Code.CANCEL_UNANSWERED: Words(
        "撤单交接 {value} 次仍无回报",
        "handed over {value} times, the terminal has not answered",
        "在终端核对并手工撤单",
        "check the terminal and cancel it there",
    ),
    Code.RESEND_NOT_PROVEN: Words(
        "{value} 目前是 {bound},没有证明柜台从未收到,不能重发",
        "{value} is {bound}; it is not proven that the broker never had it",
        "先用 orderdrop why {value} 查明",
        "find out first with orderdrop why {value}",
    ),
    Code.RESEND_OFF: Words(
        "通道 {bound} 的设置是从不重发,{value} 没有再送",
        "the settings of gateway {bound} say never to resend, {value} was not handed over again",
        '要重发:设 resend = "ask" 后重启路由器再试;不要了:orderdrop cancel {value},再用新编号下单',
        'set resend = "ask" and start the router again, or give it up with orderdrop cancel {value} and order under a new sid',
    ),
    Code.DAY_OVER: Words(
        "交易日 {value} 已结束,未发送",
        "the trading day {value} ended before it was sent",
        "今天重新下单",
        "order again today",
    ),
    Code.TAKEN_BACK: Words(
        "收盘时终端还没有取走,已从扫单文件夹收回,未成交",
        "the terminal had not taken it by the close; it was taken out of the scan folder, nothing was executed",
        "下一交易日用新的 sid 重新下单,并查终端为何没有扫单",
        "order again on the next trading day under a new sid, and see why the terminal did not scan",
    ),
    Code.DUPLICATE: Words(
        "重复:{value} 已收到过",
        "duplicate: {value} was taken before",
        "不会再发送;那笔委托的结果见 orderdrop why {value},要再下一笔请给新编号",
        "it is not sent again; see orderdrop why {value}, and give a further order a new sid",
    ),
    Code.REPEATED_ROW: Words(
        "与今天的 {bound} 相同（{value}），没有委托编号：可能是同一文件又放了一次，暂不发送",
        "the same as {bound} of today ({value}), and it has no sid: perhaps the same file once more, so it waits",
        "确实要再下一笔：orderdrop release；否则 orderdrop cancel",
        "orderdrop release sends it as an order of its own, orderdrop cancel drops it",
    ),
    Code.BROKER_REJECTED: Words(
        "柜台拒绝: {value}",
        "the broker rejected it: {value}",
        "请按柜台返回的原因（{bound}）修改，再用新编号下单",
        "fix the reason given by the broker (code {bound}), then order again with a new sid",
    ),
    Code.UNCONFIRMED: Words(
        "超时未确认,可能已在途:{value}",
        "not confirmed in time, it may be live: {value}",
        "按已发送对待,先在终端核对,不要换编号重下;证明漏单后会提示",
        "treat it as live, check the terminal, do not order it again under another sid; you are told once it is proven lost",
    ),
    Code.INTERRUPTED: Words(
        "交接时中断,没有找到凭据:{value}",
        "the hand-over was interrupted and no evidence was found: {value}",
        "按已发送对待,在终端核对这笔委托;账户 {bound} 的新委托先等待,核对后 orderdrop release <sid> 即继续",
        "treat it as live, look for it in the terminal; new orders of {bound} wait until it shows up, or until orderdrop release <sid> says that you have looked",
    ),
    Code.ADOPTED: Words(
        "日志库丢失或变旧后由 orderdrop adopt 补记：{value}",
        "written down by orderdrop adopt, after the journal was lost or had become older: {value}",
        "按已发送对待，在终端核对；柜台有回报即以回报为准，不会再送",
        "treat it as live and look for it in the terminal; what the broker tells of it counts, it is not sent again",
    ),
    Code.DAY_WRONG: Words(
        "时钟错误时开始的一天：{value}，由 orderdrop adopt --day-was-wrong 撤销",
        "the clock was wrong when this day was begun: {value}; orderdrop adopt --day-was-wrong has taken it back",
        "未送出的改正后重新放入；已送出的在终端核对",
        "what never left may be dropped again; look for what left in the terminal",
    ),
    Code.PROVEN_ABSENT: Words(
        "漏单:已证明终端从未收到这笔委托",
        "lost: it is proven that the terminal never had this order",
        "要重发用 orderdrop resend <sid>(编号不变),不要了用 orderdrop cancel <sid>",
        "orderdrop resend <sid> hands it over again under the same sid, orderdrop cancel <sid> gives it up",
    ),
    Code.RESENT: Words(
        "漏单已证明,同一编号再次交接",
        "proven lost, handed over once more under the same sid",
        "无需操作",
        "nothing to do",
    ),
    Code.NEVER_CONFIRMED: Words(
        "到日终也没有确认:{value}",
        "not confirmed by the end of its day: {value}",
        "向券商核对当日成交",
        "compare with the broker's statement of that day",
    ),
    Code.NEVER_ENDED: Words(
        "到日终柜台也没有给出终态,最后是 {value};委托只在当日有效,按过期处理",
        "its day is over and the broker never told how it ended, it was {value} at last; an order lives one day, so it counts as expired",
        "向券商核对当日成交;柜台之后再有回报,以回报为准",
        "compare with the broker's statement of that day; what the broker tells later on still counts",
    ),
    Code.FILLS_MISSING: Words(
        "柜台说成交 {bound}，成交明细只有 {value} / {bound}",
        "the broker says that {bound} are filled, but its fills add up to {value} of {bound}",
        "额度按较多的一方计；均价可能不完整，以券商对账单为准",
        "limits count the greater of both; the average price may be incomplete, trust the broker's statement",
    ),
    Code.FILLS_BEYOND: Words(
        "柜台只说成交 {bound}，成交明细却有 {value} / {bound}：可能一笔成交报了两次",
        "the broker says that {bound} are filled, but its fills add up to {value} of {bound}: one may have been told twice",
        "额度按较多的一方计；在终端核对这笔委托的成交，以券商对账单为准",
        "limits count the greater of both; look into the terminal for its fills, and trust the broker's statement",
    ),
    Code.OVERFILLED: Words(
        "成交 {value} 超过委托 {bound}:可能重复执行",
        "filled {value} of {bound}: it may have been executed twice",
        "立即在终端核对并停止下单",
        "check the terminal at once and stop trading",
    ),
}

REJECTION_REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "1": ("查看柜台的风控规则，或问券商", "look at the broker's risk rules, or ask the broker"),
    "2": ("减少数量或入金；在途的买单也占用资金", "order less or add cash; open purchases take cash, too"),
    "3": (
        "减少数量；当天买入的股票明天才能卖",
        "sell less; shares bought today can be sold from tomorrow on",
    ),
    "4": (
        "核对账户（掘金是 UUID，不是资金账号）",
        "check the account (掘金's is a UUID, not the broker's number)",
    ),
    "6": (
        "核对证券代码；该账户可能没有这个市场的权限",
        "check the symbol; the account may lack permission for its market",
    ),
    "7": ("改成整手；卖出零股要一次卖完", "order whole lots; an odd lot must be sold in a single order"),
    "8": (
        "改价格：在涨跌停之内，按最小变动价位",
        "change the price: within the day's limits, in whole ticks",
    ),
    "10": ("账户被禁用，请联系券商", "the account is disabled: ask the broker"),
    "11": (
        "在终端里把账户连接上，再用新编号下单",
        "connect the account in the terminal, then order again with a new sid",
    ),
    "12": (
        "在终端里登录账户，再用新编号下单",
        "log in to the account in the terminal, then order again with a new sid",
    ),
    "13": ("等到交易时段，再用新编号下单", "wait for a trading session, then order again with a new sid"),
    "14": (
        "改成限价，或这个市场支持的市价类型",
        "use a limit order, or a kind of market order that this exchange takes",
    ),
    "15": ("调低 [limits] orders_per_second", "lower [limits] orders_per_second"),
    "16": ("证券停牌，复牌后再下单", "the security is suspended: order again once it trades"),
}
"""What to do about 掘金's reject reasons, in Chinese and English. A broker that names its price or rule in its text says more, and that is shown."""
