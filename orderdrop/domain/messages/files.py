"""What is wrong with a file, a row or a cell."""

from __future__ import annotations

from typing import Final

from orderdrop.domain.codes import Code
from orderdrop.domain.messages.words import Words

FILES: Final[dict[Code, Words]] = {
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
        "文件 {value} 字节，超过上限 {bound}",
        "the file has {value} bytes, more than {bound}",
        "拆分文件，或调大 [inbox] max_bytes",
        "split it, or raise [inbox] max_bytes",
    ),
    Code.FILE_TOO_MANY_ROWS: Words(
        "文件超过 {bound} 行",
        "the file has more than {bound} rows",
        "拆分文件，或调大 [inbox] max_rows",
        "split it, or raise [inbox] max_rows",
    ),
    Code.FILE_LINK: Words(
        "这是符号链接，不接收", "a symbolic link is not taken", "放入文件本身", "drop the file itself"
    ),
    Code.FILE_NAME: Words(
        "文件名不合法：{value}",
        "the file's name is not allowed: {value}",
        "换一个普通的文件名",
        "use a plain file name",
    ),
    Code.FILE_NAME_LONG: Words(
        "文件名太长，Windows 的路径放不下：{value}",
        "the file's name is too long for a path on Windows: {value}",
        "改成 {bound} 个字符以内的文件名，再放入",
        "give it a name of at most {bound} characters, and drop it again",
    ),
    Code.FILE_TYPE: Words(
        "不接收这种文件：{value}",
        "this type of file is not taken: {value}",
        "用 Excel 或 WPS 打开，另存为 .xlsx 再放入；里面是文本的，改名为 .csv（接收 {bound}）",
        "open it in Excel or WPS, save it as .xlsx and drop that; what is text inside, rename to .csv ({bound} are taken)",
    ),
    Code.FILE_STALE: Words(
        "文件属于 {value},今天是 {bound}:委托只在当日有效",
        "the file belongs to {value}, today is {bound}: an order lives one trading day",
        "确认仍要交易后，另存或复制为新文件名再放入（Windows 移动文件不改时间）",
        "if you still want to trade it, save or copy it under a new name and drop that (moving it tells Windows nothing)",
    ),
    Code.FILE_TOO_DEEP: Words(
        "文件在子文件夹的子文件夹里：{value}，不接收",
        "the file lies in a folder of a folder: {value}; it is not taken",
        "移到收件箱，或其下一层的子文件夹",
        "move it into the inbox, or into a folder right below it",
    ),
    Code.FILE_OPEN: Words(
        "{value} 被其他程序打开（如 Excel），还没有接收",
        "{value} is open in another program (Excel, say); it is not taken yet",
        "关闭后自动接收；程序一直写的文件，请关闭后改名放入，或用 YYYYMMDD.order.csv 这样的文件名",
        "it is taken once it is closed; a program that keeps its file open closes it and renames it in, or names it YYYYMMDD.order.csv",
    ),
    Code.FILE_LIBRARY: Words(
        "读取 {value} 需要一个未安装的库",
        "reading {value} needs a library that is not installed",
        "安装后重新放入：{bound}",
        "install it and drop the file again: {bound}",
    ),
    Code.FILE_DAMAGED: Words(
        "文件不完整或已损坏：{value}",
        "the file is incomplete or damaged: {value}",
        "用 Excel 打开并另存一份，或重新生成，再放入",
        "open it in Excel and save it under a new name, or make it anew, and drop it again",
    ),
    Code.FILE_FAULT: Words(
        "接收时反复出现{value}",
        "while it was taken, this came again and again: {value}",
        "没有送出其中的新委托；检查文件后重新放入，并把 orderdrop.log 里的报错告诉开发者",
        "nothing new of it was sent; look at the file and drop it again, and report the error that orderdrop.log has",
    ),
    Code.FILE_ENCRYPTED: Words(
        "工作簿有打开密码，读不了",
        "the workbook needs a password to be opened",
        "去掉打开密码(工作表保护不影响),重新放入",
        "remove the password to open it (a protected sheet is fine) and drop it again",
    ),
    Code.FILE_INFLATES: Words(
        "文件展开后过大：{value},上限 {bound}",
        "the file grows too large when it is unpacked: {value}, the limit is {bound}",
        "只保留委托工作表，删除多余的行、列、图片，再放入",
        "keep only the order sheet, delete spare rows, columns and pictures, and drop it again",
    ),
    Code.BOOK_MACROS: Words(
        "带宏的工作簿不接收：{value}",
        "a workbook with macros is not taken: {value}",
        "另存为 .xlsx(不带宏)后放入",
        "save it as .xlsx, which holds no macros, and drop that",
    ),
    Code.BOOK_LINKS: Words(
        "工作簿引用了其他文件，数值可能是旧的：{value}",
        "the workbook links to other files, so its values may be old: {value}",
        "数据 → 编辑链接 → 断开链接，保存后重新放入",
        "Data → Edit Links → Break Link, save, and drop it again",
    ),
    Code.SHEET_NOT_FOUND: Words(
        "没有一张工作表的前 {bound} 行里有委托表头",
        "no sheet has an order header in its first {bound} rows",
        "写一行列名：代码、方向、数量、价格；或用 orderdrop template 生成模板",
        "write a row of column names: symbol, side, volume, price; or make a template with orderdrop template",
    ),
    Code.SHEET_HIDDEN: Words(
        "隐藏的工作表 “{value}” 里有委托，整份不接收",
        "the hidden sheet “{value}” holds orders, so nothing of the workbook is taken",
        "取消隐藏并核对，或删除这张工作表，再放入",
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
    Code.PROFILE_SEVERAL: Words(
        "“{value}” 同时符合几个 [profiles]：{bound}",
        "“{value}” matches several [profiles]: {bound}",
        "改窄其中一个的 files 或 folder，或用 orderdrop drop --profile 指定",
        "narrow the files or folder of one of them, or name one with orderdrop drop --profile",
    ),
    Code.PROFILE_UNKNOWN: Words(
        "没有 [profiles.{value}]",
        "there is no [profiles.{value}]",
        "已有的是 {bound}；在 orderdrop.toml 里写一个，或核对拼写",
        "there are {bound}; write one in orderdrop.toml, or check the spelling",
    ),
    Code.PROFILE_WIDTH: Words(
        "这一行的列数和 [profiles] 的 positions 不符（{bound} 列）：“{value}”",
        "the line does not have as many cells as the profile's positions ({bound}): “{value}”",
        "核对 positions、delimiter 和 skip，或文件是否换了格式",
        "check positions, delimiter and skip, or whether the file has another format",
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
        "第一行不是表头：“{value}”",
        "the first line is not a header: “{value}”",
        "第一行写列名：{bound}",
        "begin with the column names: {bound}",
    ),
    Code.ROW_TORN: Words(
        "最后一行没有换行符，可能没写完：“{value}”",
        "the last line has no newline and may be cut short: “{value}”",
        "写完整行并以换行结束，或写完后放一个同名 .fin 文件",
        "end every line with a newline, or put an empty .fin file beside it when done",
    ),
    Code.ROW_TORN_REST: Words(
        "这是一行被截断委托的后半段，不会拼接：“{value}”",
        "the rest of a line that was refused as cut; never glued on: “{value}”",
        "把整行重新放入",
        "drop the whole row again",
    ),
    Code.ROW_FIELDS: Words(
        "有 {value} 个字段，表头有 {bound} 列",
        "{value} fields where the header has {bound}",
        "检查多余或缺少的逗号",
        "look for a missing or stray comma",
    ),
    Code.ROW_QUOTES: Words(
        "引号不成对或跨行：“{value}”",
        "quotes do not match or span lines: “{value}”",
        "一行一笔委托，引号成对",
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
        "表头又出现了一次(多个程序同时写？)",
        "the header stands here again (several writers?)",
        "删掉这一行；多进程请用 orderdrop.append()",
        "remove it; several processes should use orderdrop.append()",
    ),
    Code.ROW_LATE: Words(
        "文件已整体拒绝，之后写入的行同样不发送",
        "the file was refused whole, a row written later is refused too",
        "改好后整份重新放入",
        "mend the file and drop all of it again",
    ),
    Code.CELL_UNSAVED: Words(
        "{column} 是公式，但没有保存计算结果({value})",
        "{column} is a formula without a saved result ({value})",
        "用 Excel 打开并保存，再放入",
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
        "把单元格设为文本或数值，重新输入",
        "format the cell as text or number and type it again",
    ),
    Code.CELL_MERGED: Words(
        "这一行有合并单元格 {value}",
        "the row has merged cells: {value}",
        "取消合并，每行填写完整",
        "unmerge them and fill in every row",
    ),
    Code.CELL_OUTSIDE: Words(
        "单元格 {column} 不在任何列名之下，却有内容 “{value}”",
        "the cell {column} stands under no column name, and holds “{value}”",
        "删除它，或给这一列写上列名",
        "delete it, or give its column a name",
    ),
}
